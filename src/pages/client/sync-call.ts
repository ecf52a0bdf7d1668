import type { PageSyncProgress } from "../page-client.js";

/** One sync, as the process that runs it is asked for it. The token goes this way, and never on a command line or into the environment. */
export interface SyncCall {
  readonly direction: "push" | "pull";
  /** Of the WebSocket: `ws:` or `wss:`, with `/sync`. */
  readonly url: string;
  readonly idleMs: number;
  /** An absolute path. */
  readonly file: string;
  readonly token: string;
  readonly force: boolean;
  readonly check: boolean;
}

/** What a sync is given by whoever runs it. */
export interface SyncContext {
  readonly call: SyncCall;
  readonly signal: AbortSignal;
  /** Told several times a second at most. */
  readonly tell: (progress: PageSyncProgress) => void;
}
