/**
 * The change feed over SSE: what `GET <base>/changes` sends, an event stream (https://html.spec.whatwg.org/#server-sent-events). The same
 * names for both ends, each written once.
 *
 * ```text
 * id: 9f86d081884c7d65-41
 * event: ready
 * data: {"gap":false,"heartbeatMs":15000}
 *
 * id: 9f86d081884c7d65-42
 * event: change
 * data: {"collection":"posts","namespace":null,"key":"posts/doc","hash":"...","timestamp":1700000000000}
 *
 * :
 *
 * id: 9f86d081884c7d65-45
 * data:
 * ```
 *
 * An id is the server run's epoch, which is random, and a number that counts the server's writes, those too that this reader does not hear
 * of. A comment is a heartbeat; an id alone is one that says: what came in between was not for you.
 */
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
