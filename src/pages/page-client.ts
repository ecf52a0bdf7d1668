/** What `createPageClient` takes. */
export interface PageClientOptions {
  /** Of the page server, for instance `https://sync.example.com`; `/sync` is added to it. */
  readonly url: string;
  /**
   * A server that says nothing for so long is given up, in seconds; one that is there but does not go on, as in a commit, after ten times as long.
   * Default 60.
   */
  readonly idleSeconds?: number;
}

export interface PageSyncRequest {
  /** Path of the SQLite file. */
  readonly file: string;
  /** A sync token for the database and the direction. */
  readonly token: string;
  /** A push replaces what others have pushed meanwhile; a pull replaces what was changed here meanwhile. Default `false`. */
  readonly force?: boolean;
  /** A pull runs `PRAGMA integrity_check` on what arrived before it replaces anything. Default `false`. */
  readonly check?: boolean;
  /** Told several times a second at most. */
  readonly onProgress?: (progress: PageSyncProgress) => void;
}

export interface PageSyncProgress {
  /** `reading` the local file, `comparing` with the server's, `transferring` pages, `writing` the local file, `checking` it. */
  readonly phase: "reading" | "comparing" | "transferring" | "writing" | "checking";
  /** Pages done in this phase, and in all; `null` where nobody knows yet. */
  readonly pagesDone: number;
  readonly pagesTotal: number | null;
  readonly pageSize: number;
  /** On the wire so far, both ways. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface PageSyncResult {
  /** Whether anything is different now at the end that was written. */
  readonly changed: boolean;
  /** Id of the database and the generation that both ends have now; `null` where the server knows none. */
  readonly database: string | null;
  readonly generation: number | null;
  /** Of the database. */
  readonly pageSize: number;
  readonly pageCount: number;
  readonly pagesTransferred: number;
  /** Everything on the wire, both ways, WebSocket frames included, TCP and TLS not. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** What the user should know, a sentence each: what a plain server cannot do. */
  readonly notices: readonly string[];
}

/** Pushes and pulls SQLite files, each sync in a process of its own, so that neither the event loop nor locks of this process are touched. */
export interface PageClient {
  /**
   * Makes the server's database what the file is now. The file may be in use.
   * @throws `GENERATION_CONFLICT`, `NOT_A_DATABASE`, `LOCAL_DATABASE`, `SNAPSHOT_UNSTEADY`, `SYNC_REFUSED`, `SYNC_UNREACHABLE`, `INVALID_TOKEN`,
   * `PAGE_PROTOCOL`, `MISSING_DRIVER`, `WORKER_FAILED`, `STOPPED`, the signal's reason
   */
  push(request: PageSyncRequest, signal?: AbortSignal): Promise<PageSyncResult>;
  /**
   * Makes the file what the server's database is now, in one transaction; made where it is not there. Others may have it open.
   * @throws as `push`; `LOCAL_CHANGES`, `INTEGRITY_FAILED`
   */
  pull(request: PageSyncRequest, signal?: AbortSignal): Promise<PageSyncResult>;
  /** What is under way rejects with `STOPPED`. Leaves no handle. */
  close(): Promise<void>;
}
