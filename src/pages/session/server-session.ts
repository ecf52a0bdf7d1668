import type { Frame, Page } from "../protocol/frame.js";

/** What a server's session wants done, one after the other, in order. Those with an answer are answered before anything else is handed in. */
export type ServerEffect =
  | { readonly do: "send"; readonly frame: Frame }
  /** Begin: open the stored version for pages of so many bytes (`null`: the database's own), and in a push stage one like this. Answer: `opened`. */
  | {
      readonly do: "open";
      readonly unit: number | null;
      readonly staging: {
        readonly pageSize: number;
        readonly pageCount: number;
        readonly generation: number | null;
      } | null;
    }
  /** Answer: `compared`. */
  | {
      readonly do: "compare-range";
      readonly startPage: number;
      readonly endPage: number;
      readonly combinedHash: Uint8Array;
    }
  /** Answer: `compared`. */
  | { readonly do: "compare-page"; readonly pageNo: number; readonly hash: Uint8Array }
  | { readonly do: "stage-pages"; readonly pages: readonly Page[] }
  /** Send pages of the stored version, `single` as `page_data`, else as `page_data_batch` of at most `MAX_BATCH_BYTES`. */
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
  readonly database: string;
  readonly generation: number;
  /** Bytes of a page as this session counts. */
  readonly pageSize: number;
  readonly pageCount: number;
  readonly rootHash: Uint8Array | null;
}

/** One sync as the server sees it: a state machine, as {@link ClientSession}. */
export interface ServerSession {
  receive(frame: Frame): readonly ServerEffect[];
  opened(stored: StoredFacts): readonly ServerEffect[];
  compared(verdict: "equal" | "different" | "unknown"): readonly ServerEffect[];
  committed(version: { readonly generation: number; readonly rootHash: Uint8Array }): readonly ServerEffect[];
  /** As `ClientSession.idle`. */
  idle(): readonly ServerEffect[];
}
