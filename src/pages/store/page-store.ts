/** One whole version of a database. It stays readable until `close`, whatever is pushed meanwhile. Pages count from 1. */
export interface PageVersion {
  /** 0 where nothing was pushed yet; each commit makes it larger. */
  readonly generation: number;
  /** In bytes; 0 where nothing was pushed yet. */
  readonly pageSize: number;
  readonly pageCount: number;
  /** BLAKE3 over all pages' hashes in order; `null` where nothing was pushed yet. */
  readonly rootHash: Uint8Array | null;
  /** As `PageHashes.combined`. */
  combined(startPage: number, endPage: number): Promise<Uint8Array>;
  /** `count` hashes one after the other. */
  hashes(startPage: number, count: number): Promise<Uint8Array>;
  /** `count` pages one after the other, in a buffer of the caller's own. */
  read(startPage: number, count: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface StagingRequest {
  /** Of the version that is being pushed, in bytes. */
  readonly pageSize: number;
  readonly pageCount: number;
  /** The generation that the push starts from: `commit` fails where the database is not at it any more. `null`: the one that is current now. */
  readonly generation: number | null;
  /** How large the database may be, in bytes. */
  readonly maxBytes: number;
}

/** What is known about pages that a push has named: all are here; some differ; none is here, so that it is not worth looking closer. */
export type PageVerdict = "equal" | "different" | "unknown";

/** A version that is being pushed. What other pushes of this database that broke off have sent counts as being here. */
export interface PageStaging {
  /** What was current when the push began. Of a version that is damaged only the generation: then all pages are wanted. */
  readonly stored: Pick<PageVersion, "generation" | "pageSize" | "pageCount" | "rootHash">;
  /** Whether these pages are here already, in what is stored or as sent before. Pages found equal become part of the version. */
  compare(startPage: number, endPage: number, combinedHash: Uint8Array): Promise<PageVerdict>;
  /** As `compare`, by the page's own hash. */
  has(pageNo: number, hash: Uint8Array): Promise<boolean>;
  /** Takes a page of `pageSize` bytes; the last one may be shorter. It survives where the push breaks off, but for the last MiB where the process is killed. @throws `NOT_A_DATABASE` for a page 1 that begins no SQLite file, `PAGE_STORE` */
  put(pageNo: number, data: Uint8Array): Promise<void>;
  /**
   * Makes all of it the version that is read from now on, in one step, durably. Where it equals what is stored nothing changes, whatever generation it
   * started from. The root hash is over pages of the size that the file's header says.
   * @throws `GENERATION_CONFLICT` where another push came first, `NOT_A_DATABASE`, `PAGE_PROTOCOL` where pages are missing, `PAGE_STORE`
   */
  commit(): Promise<{ readonly generation: number; readonly rootHash: Uint8Array }>;
  /** Ends it. Without a commit nothing that anybody reads has changed. */
  close(): Promise<void>;
}

/**
 * The databases of a page server, as files. Ids are those of the accounts: letters, digits, `-` and `_`. An id that was removed is not used again: it is
 * `UNKNOWN_DATABASE`. Every call throws `PAGE_STORE` where files fail.
 */
export interface PageStore {
  /** Finishes or undoes what a crash has left. */
  open(): Promise<void>;
  /**
   * The version that is stored now.
   * @param unit bytes of a page for a peer that has its own idea of them; the last page may be shorter then. Default: the database's own.
   */
  read(database: string, unit?: number): Promise<PageVersion>;
  /** Begins a push. It does not look at `generation` yet. @throws `QUOTA_EXCEEDED` */
  stage(database: string, request: StagingRequest): Promise<PageStaging>;
  /** What the stored version takes, in bytes; 0 where there is none. */
  bytes(database: string): Promise<number>;
  /**
   * Removes of what pushes that broke off have left, which the next one need not send again, all that is more than `maxBytes`, the oldest first. Pushes
   * under way keep theirs.
   * @returns bytes of what is left
   */
  trimLeftovers(database: string, maxBytes: number): Promise<number>;
  /** Path of the stored version, a SQLite file to be opened for reading; `null` where there is none. */
  file(database: string): Promise<string | null>;
  /** Of all databases that have files, staged ones too, in no order: those that the accounts do not know are to be removed. */
  ids(): Promise<readonly string[]>;
  /** Removes everything of it. What is being read or pushed fails with `UNKNOWN_DATABASE`. */
  remove(database: string): Promise<void>;
  close(): Promise<void>;
}
