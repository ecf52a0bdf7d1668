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
  /** The generation that the push starts from: `commit` fails where the database is not at it any more. */
  readonly generation: number;
  /** How large the database may be, in bytes. */
  readonly maxBytes: number;
}

/** What is known about pages that a push has named: all are here; some differ; none is here, so that it is not worth looking closer. */
export type PageVerdict = "equal" | "different" | "unknown";

/** A version that is being pushed. What other pushes of this database that broke off have sent counts as being here. */
export interface PageStaging {
  /** Whether these pages are here already, in what is stored or as sent before. Pages found equal become part of the version. */
  compare(startPage: number, endPage: number, combinedHash: Uint8Array): Promise<PageVerdict>;
  /** As `compare`, by the page's own hash. */
  has(pageNo: number, hash: Uint8Array): Promise<boolean>;
  /** Takes a page of `pageSize` bytes. It survives where the push breaks off. */
  put(pageNo: number, data: Uint8Array): Promise<void>;
  /**
   * Makes all of it the version that is read from now on, in one step, durably.
   * @throws `GENERATION_CONFLICT` where another push came first, `NOT_A_DATABASE`, `PAGE_STORE`
   */
  commit(): Promise<{ readonly generation: number; readonly rootHash: Uint8Array }>;
  /** Ends it. Without a commit nothing that anybody reads has changed. */
  close(): Promise<void>;
}

/** The databases of a page server, as files. Ids are those of the accounts. */
export interface PageStore {
  /** Finishes or undoes what a crash has left. */
  open(): Promise<void>;
  /**
   * The version that is stored now.
   * @param unit bytes of a page for a peer that has its own idea of them; the last page may be shorter then. Default: the database's own.
   */
  read(database: string, unit?: number): Promise<PageVersion>;
  /** @throws `QUOTA_EXCEEDED`, `GENERATION_CONFLICT` */
  stage(database: string, request: StagingRequest): Promise<PageStaging>;
  /** What the stored version takes, in bytes; 0 where there is none. */
  bytes(database: string): Promise<number>;
  /** Path of the stored version, a SQLite file to be opened for reading; `null` where there is none. */
  file(database: string): Promise<string | null>;
  /** Ids of all databases of which anything is kept, stored or staged: those that no account refers to are removed at start. */
  databases(): Promise<readonly string[]>;
  /** Removes everything of it. What is being read or pushed fails. */
  remove(database: string): Promise<void>;
  close(): Promise<void>;
}
