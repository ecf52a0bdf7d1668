/** The change feed over SSE: what `GET <base>/changes` sends. The same names for both ends, each written once. */
export const SSE = {
  path: "/changes",
  mediaType: "text/event-stream",
  /** Sent by a client that reconnects: the last `id:` it got, `<epoch>-<number>`. */
  lastEventId: "Last-Event-ID",
  /**
   * The first event of every connection, and a later one when the server had to leave some out: `{ gap, heartbeatMs }`. `gap: true`:
   * events may have been missed. `heartbeatMs`: the stream is never silent for longer.
   */
  ready: "ready",
  /** A write: `{ collection, namespace, key, hash, timestamp }`. */
  change: "change",
} as const;

export const DEFAULT_HEARTBEAT_MS = 15_000;

/** What `ready` says. */
export interface ReadyMessage {
  readonly gap: boolean;
  readonly heartbeatMs: number;
}
