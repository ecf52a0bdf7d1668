export interface ReconnectOptions {
  /** Upper bound of the first pause before a reconnect, in milliseconds. Default 250. */
  readonly reconnectBaseMs?: number;
  /** Upper bound that later pauses grow to, doubling with each failure in a row, in milliseconds. Default 30 000. */
  readonly reconnectCapMs?: number;
}

export const RECONNECT_DEFAULTS = { reconnectBaseMs: 250, reconnectCapMs: 30_000 } as const;

/**
 * Exponential back-off with full jitter, on top of what the server wishes (`retry:`, `Retry-After`): of the many readers that a server
 * lost at once, no two come back together. A wish of more than the cap counts as the cap.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function reconnectDelay(failures: number, wishMs: number, options: Required<ReconnectOptions>): number {
  const { reconnectBaseMs, reconnectCapMs } = options;
  const bound = Math.min(reconnectCapMs, reconnectBaseMs * 2 ** Math.min(Math.max(0, failures - 1), 30));
  return Math.round(Math.min(wishMs, reconnectCapMs) + Math.random() * bound);
}
