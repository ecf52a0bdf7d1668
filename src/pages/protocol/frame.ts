/** A page of a database and its number, which begins with 1. */
export interface Page {
  readonly pageNo: number;
  readonly data: Uint8Array;
}

/** What our own peers add to `hello`; `null` where a peer of the plain protocol sent it. */
export interface HelloExtension {
  /** Id of the database that the file came from; `null` for a file that was never synced. */
  readonly database: string | null;
  /** Generation that the file came from; `null` as above, or where the server it came from knows none. */
  readonly generation: number | null;
  /** Combined hash of all pages of that generation, where the client knows it. */
  readonly rootHash?: Uint8Array;
  /** A push that replaces whatever came meanwhile. */
  readonly force: boolean;
  /** What the client is about to do; the token may be for the other way. */
  readonly direction?: "push" | "pull";
}

/** What our own servers add to `hello_reply`. */
export interface HelloReplyExtension {
  readonly database: string;
  /** Of what is stored; 0 where nothing was pushed yet. */
  readonly generation: number;
  /** Combined hash of all pages of what is stored; `null` where nothing is. */
  readonly rootHash: Uint8Array | null;
}

/** What our own servers add to `sync_complete`: the version that both ends have now. */
export interface SyncCompleteExtension {
  readonly generation: number;
  /** `null` where nothing was ever pushed. */
  readonly rootHash: Uint8Array | null;
}

interface HelloFacts {
  readonly protocolVersion: number;
  /** In bytes. */
  readonly pageSize: number;
  /** Number of the last page; 0 where there is none. */
  readonly maxPage: number;
}

export interface HelloFrame extends HelloFacts {
  readonly kind: "hello";
  readonly extension: HelloExtension | null;
}

export interface HelloReplyFrame extends HelloFacts {
  readonly kind: "hello_reply";
  readonly extension: HelloReplyExtension | null;
}

export interface SyncCompleteFrame {
  readonly kind: "sync_complete";
  readonly pagesTransferred: number;
  readonly bytesTransferred: number;
  readonly extension: SyncCompleteExtension | null;
}

export interface ErrorFrame {
  readonly kind: "error";
  readonly message: string;
}

/** One message of the page sync protocol (WIRE.md, section 2), with the names that JavaScript uses. */
export type Frame =
  | HelloFrame
  | HelloReplyFrame
  | { readonly kind: "page_hash"; readonly pageNo: number; readonly hash: Uint8Array }
  | {
      readonly kind: "page_hash_batch";
      readonly startPage: number;
      readonly endPage: number;
      readonly combinedHash: Uint8Array;
    }
  | { readonly kind: "request_page" | "hash_mismatch"; readonly pageNo: number }
  | { readonly kind: "request_pages" | "hash_mismatch_batch"; readonly pageNumbers: readonly number[] }
  | { readonly kind: "page_data"; readonly pageNo: number; readonly data: Uint8Array }
  | { readonly kind: "page_data_batch"; readonly pages: readonly Page[] }
  | { readonly kind: "complete" }
  | SyncCompleteFrame
  | ErrorFrame;
