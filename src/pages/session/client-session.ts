import type { Frame, Page } from "../protocol/frame.js";

/** What a client's session wants done. Whoever runs it does one after the other, in order, and waits for each. */
export type ClientEffect =
  | { readonly do: "send"; readonly frame: Frame }
  /** Send `page_hash_batch` over these pages of the local version. */
  | { readonly do: "send-range"; readonly startPage: number; readonly endPage: number }
  /** Send one `page_hash` for each of these pages of the local version. */
  | { readonly do: "send-hashes"; readonly startPage: number; readonly endPage: number }
  /** Send these pages of the local version, `single` as `page_data`, else as `page_data_batch` of at most `MAX_BATCH_BYTES`. */
  | { readonly do: "send-pages"; readonly pageNumbers: readonly number[]; readonly single: boolean }
  /** Put these pages into the version that is being pulled. */
  | { readonly do: "store-pages"; readonly pages: readonly Page[] }
  /** Wait until the peer has answered a WebSocket ping: a peer that reads in order has seen all that was sent. */
  | { readonly do: "barrier" }
  /** The session is over: close the connection. */
  | { readonly do: "finish"; readonly outcome: ClientOutcome };

/** How a session of a client ended well. */
export interface ClientOutcome {
  /** What the peer says of the version that both have now; `null` where it is a plain one. */
  readonly version: { readonly database: string; readonly generation: number; readonly rootHash: Uint8Array } | null;
  /** Of the peer's version after a pull, of the local one after a push. In bytes. */
  readonly pageSize: number;
  readonly pageCount: number;
  readonly pagesTransferred: number;
  /** Of pages, without what surrounds them. */
  readonly bytesTransferred: number;
}

/**
 * One sync as the client sees it: a state machine that does nothing itself. Its invariants are numbered in docs/pages-protocol.md. Each method gives what to
 * do next, and throws `PAGE_PROTOCOL` where the peer broke the rules: then send its message as an `error` frame, and close.
 */
export interface ClientSession {
  open(): readonly ClientEffect[];
  receive(frame: Frame): readonly ClientEffect[];
  /** To be called when all effects are done and the socket has taken what was sent. Nothing: wait for a frame. */
  idle(): readonly ClientEffect[];
}
