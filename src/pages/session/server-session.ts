import type { Frame, Page } from "../protocol/frame.js";

/** What a server's session wants done. One that has an answer is always the last of its list. */
export type ServerEffect =
  | { readonly do: "send"; readonly frame: Frame }
  /**
   * Open the stored version for pages of so many bytes (`null`: the database's own): `PageStore.read`. A second one replaces the first, and what was
   * staged. Answer: `opened`.
   */
  | { readonly do: "open"; readonly unit: number | null }
  /** Stage a push: `PageStore.stage`. From here on pages are compared with what is staged, before with what is stored. */
  | {
      readonly do: "stage";
      readonly pageSize: number;
      readonly pageCount: number;
      /** The one that the push starts from: always that of the stored version that was opened. */
      readonly generation: number;
    }
  /** Answer: `compared`. Staged: `PageStaging.compare`. Stored: the combined hashes; the pages are always pages of the stored version. */
  | {
      readonly do: "compare-range";
      readonly startPage: number;
      readonly endPage: number;
      readonly combinedHash: Uint8Array;
    }
  /** Answer: `compared`, as for a range; the hash is the page's own. */
  | { readonly do: "compare-page"; readonly pageNo: number; readonly hash: Uint8Array }
  | { readonly do: "stage-pages"; readonly pages: readonly Page[] }
  /**
   * Send these pages of the stored version: `single` as one `page_data` each, else as one `page_data_batch`. They are `MAX_BATCH_BYTES` at most, or one
   * page.
   */
  | {
      readonly do: "send-pages";
      readonly startPage: number;
      readonly endPage: number;
      readonly single: boolean;
    }
  /** Answer: `committed`. */
  | { readonly do: "commit" }
  /** The session is over: close the connection. */
  | { readonly do: "finish" };

/** What the stored version is. */
export interface StoredFacts {
  readonly generation: number;
  /** Bytes of a page as this session counts; 0 where nothing was pushed yet. */
  readonly pageSize: number;
  readonly pageCount: number;
  readonly rootHash: Uint8Array | null;
}

/**
 * One sync as the server sees it: a state machine that does nothing itself. Its invariants are numbered in docs/pages-protocol.md.
 *
 * Whoever runs it has one loop: run the effects of the last call, one after the other, and where one has an answer, hand it in and run what that gives; then,
 * if the socket has taken (nearly) all that was sent, call `idle`; then, if a frame has come, hand it to `receive`; else, where `idle` gave nothing, wait for
 * a frame. Sending does not wait for the socket: `idle` is what waits. Frames are received while the socket is full, or two ends would wait for each other.
 *
 * Every method throws where the sync failed (`PAGE_PROTOCOL`, `GENERATION_CONFLICT`, `QUOTA_EXCEEDED`): send `failed(error)` and close, as also for
 * what running an effect throws, a message that `parseFrame` refuses, and the end of patience.
 */
export interface ServerSession {
  receive(frame: Frame): readonly ServerEffect[];
  opened(stored: StoredFacts): readonly ServerEffect[];
  compared(verdict: "equal" | "different" | "unknown"): readonly ServerEffect[];
  committed(version: { readonly generation: number; readonly rootHash: Uint8Array }): readonly ServerEffect[];
  idle(): readonly ServerEffect[];
  /** The `error` frame that tells the client; of what is not its business it says only that the server failed. */
  failed(error: unknown): Frame;
}
