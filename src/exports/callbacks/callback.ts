/** A callback that is to be delivered. */
export interface PendingCallback {
  readonly jobId: string;
  /** Stays the same for every try: `webhook-id`. */
  readonly messageId: string;
  readonly url: string;
  /** The JSON, to the byte the same for every try. */
  readonly body: string;
  /** Tries so far. */
  readonly attempts: number;
  /** When the job ended, in milliseconds since 1970. */
  readonly since: number;
}

/** How a try ended. */
export type CallbackOutcome =
  | { readonly kind: "delivered"; readonly status: number }
  /** `final`: no later try would help. `reason` is for people and names no more of the URL than its origin. */
  | { readonly kind: "failed"; readonly final: boolean; readonly reason: string; readonly retryAfterMs?: number };

/** Where callbacks wait, across restarts. */
export interface CallbackBook {
  /** Those whose time has come, oldest first. */
  due(nowMs: number, limit: number): readonly PendingCallback[];
  /** When the next one's time comes; `null` where none waits. */
  nextDueMs(): number | null;
  /** Counts a try before it is made, so that a crash in the middle of it is one too. */
  begin(jobId: string, nextTryMs: number): void;
  delivered(jobId: string): void;
  retryAt(jobId: string, atMs: number, reason: string): void;
  giveUp(jobId: string, reason: string): void;
}
