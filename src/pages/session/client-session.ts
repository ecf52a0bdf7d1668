import type { Frame, Page } from "../protocol/frame.js";

/** Where a local file comes from. */
export interface SyncBase {
  readonly database: string;
  /** `null` where the server it came from knows none. */
  readonly generation: number | null;
  /** Combined hash of all pages of that version: a server that was restored from a backup may give its number to another one. */
  readonly rootHash?: Uint8Array;
}

/** What a client's session wants done. */
export type ClientEffect =
  | { readonly do: "send"; readonly frame: Frame }
  /** Send `page_hash_batch` over these pages of the local version. */
  | { readonly do: "send-range"; readonly startPage: number; readonly endPage: number }
  /** Send one `page_hash` for each of these pages of the local version. */
  | { readonly do: "send-hashes"; readonly startPage: number; readonly endPage: number }
  /**
   * Send these pages of the local version, in rising order: `single` as one `page_data` each, else as one `page_data_batch`. They are `MAX_BATCH_BYTES`
   * at most, or one page.
   */
  | { readonly do: "send-pages"; readonly pageNumbers: readonly number[]; readonly single: boolean }
  /** Put these pages into the version that is being pulled. */
  | { readonly do: "store-pages"; readonly pages: readonly Page[] }
  /**
   * Send a WebSocket ping and wait for its pong: a peer that reads in order has seen all that was sent. Go on reading from the socket meanwhile (what
   * comes is bounded by what was sent since the last barrier), or the pong never comes.
   */
  | { readonly do: "barrier" }
  /** The server has ended the sync: wait a moment for the close of the connection, and hand its reason to `closed`. */
  | { readonly do: "hear-close" }
  /** Close this connection, make a new session as `how` says, and connect again with it. Nothing was changed at either end. */
  | { readonly do: "restart"; readonly how: ClientRestart }
  /** The session is over, and well: close the connection. */
  | { readonly do: "finish"; readonly outcome: ClientOutcome };

export type ClientRestart =
  /** The answer to an earlier push was lost, and the push was stored: the file comes from this generation. Record it, and go on with this `base`. */
  | { readonly reason: "own-push"; readonly base: SyncBase & { readonly generation: number } }
  /** The server speaks the plain protocol: go on with `plain: true`, the local file as pages of `pageSize` bytes, the last one maybe shorter. */
  | { readonly reason: "plain-server"; readonly pageSize: number };

/** How a session of a client ended well. */
export interface ClientOutcome {
  /** Whether anything is different now at the end that was written. */
  readonly changed: boolean;
  /** What the peer says of the version that both have now; `null` where it is a plain one. `rootHash` is `null` where nothing was ever pushed. */
  readonly version: {
    readonly database: string;
    readonly generation: number;
    readonly rootHash: Uint8Array | null;
  } | null;
  /** Of the peer's version after a pull, of the local one after a push, as this session counted. In bytes. */
  readonly pageSize: number;
  readonly pageCount: number;
  readonly pagesTransferred: number;
  /** Of pages, without what surrounds them. */
  readonly bytesTransferred: number;
  /** What the user should know, a sentence each: what a plain server cannot do. */
  readonly notices: readonly string[];
}

/** What the peer's `hello_reply` said. */
export interface PeerFacts {
  /** Whether it speaks our extensions. */
  readonly extended: boolean;
  readonly database: string | null;
  readonly generation: number | null;
  readonly rootHash: Uint8Array | null;
  /** In bytes. */
  readonly pageSize: number;
  readonly pageCount: number;
}

/**
 * One sync as the client sees it: a state machine that does nothing itself. Its invariants are numbered in docs/pages-protocol.md.
 *
 * Whoever runs it has one loop: run the effects of the last call, one after the other; then, if a frame has come, hand it to `receive`; else, if
 * the socket has taken (nearly) all that was sent, call `idle`; where that gave nothing, wait for a frame. Sending does not wait for the socket: `idle` is what
 * waits, and it never asks for more than about `MAX_BATCH_BYTES` at once. Reading from the socket may pause while frames wait, but not during a `barrier`.
 *
 * `open`, `receive`, `idle` and `closed` throw where the sync failed: `PAGE_PROTOCOL` where the peer broke the rules (then send `failed(error)`, and close), and
 * `SYNC_REFUSED` or `GENERATION_CONFLICT` where the peer has ended it (then just close).
 */
export interface ClientSession {
  /** To be called once, when the socket is open. */
  open(): readonly ClientEffect[];
  receive(frame: Frame): readonly ClientEffect[];
  idle(): readonly ClientEffect[];
  /** After `hear-close`. @param reason of the WebSocket's close; empty where it had none, or did not come. @throws always */
  closed(reason: string): never;
  /** The `error` frame that tells the peer. */
  failed(error: unknown): Frame;
  /** `null` before `hello_reply`. */
  readonly peer: PeerFacts | null;
}
