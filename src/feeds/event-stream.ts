import { createParser, type EventSourceMessage } from "eventsource-parser";
import { isJsonObject } from "../protocol/json-object.js";
import type { ChangeEvent } from "./change-feed.js";
import { parseChangeEvent } from "./parse-change-event.js";
import { DEFAULT_HEARTBEAT_MS, SSE } from "./sse-wire.js";
import { streamErrors } from "./stream-errors.js";

/** What a stream of changes says, checked. */
export interface StreamListener {
  /** The server's greeting; repeated when it had to leave something out. A malformed one proves nothing, so it is a gap. */
  ready(gap: boolean, heartbeatMs: number): void;
  change(event: ChangeEvent): void;
  /** Anything else, a heartbeat too. */
  other(): void;
  /** An event that should have been one of ours and is not. */
  garbage(): void;
  /** Got everything up to here. */
  position(id: string): void;
  /** The server's wish for the pause before a reconnect. */
  retry(ms: number): void;
}

/** Besides one event, so much may come in a minute that is none of ours; a stream of more is garbage. Heartbeats are a few bytes. */
const MAX_IDLE_BYTES = 64 * 1024;
const MAX_BYTES_PER_CHARACTER = 4;
const IDLE_WINDOW_MS = 60_000;

/** Only what can go into a header again. */
const ID = /^[\x21-\x7e]{1,256}$/;

/**
 * A reader of an event stream: give it the pieces as they come. It keeps at most one event.
 * @throws ANSWER_TOO_LARGE, ANSWER_INVALID; the stream is then of no use any more
 */
export function createStreamReader(
  url: string,
  maxEventLength: number,
  listener: StreamListener,
): (piece: Uint8Array) => void {
  const decoder = new TextDecoder();
  const maxIdleBytes = MAX_IDLE_BYTES + maxEventLength * MAX_BYTES_PER_CHARACTER;
  let idleBytes = 0;
  let idleSince = performance.now();
  let overflow = false;
  const parser = createParser({
    maxBufferSize: maxEventLength,
    onEvent(message) {
      if (readMessage(message, listener)) idleBytes = 0;
      if (message.id !== undefined && ID.test(message.id)) listener.position(message.id);
    },
    onComment: () => listener.other(),
    onRetry: (ms) => listener.retry(ms),
    onError({ type }) {
      // Unknown fields and the like are for the reader to ignore. https://html.spec.whatwg.org/#event-stream-interpretation
      if (type === "max-buffer-size-exceeded") overflow = true;
    },
  });
  return (piece) => {
    if (performance.now() - idleSince > IDLE_WINDOW_MS) {
      idleBytes = 0;
      idleSince = performance.now();
    }
    idleBytes += piece.byteLength;
    parser.feed(decoder.decode(piece, { stream: true }));
    if (overflow) throw streamErrors.tooLarge(url, maxEventLength);
    if (idleBytes > maxIdleBytes) throw streamErrors.invalid(url, "sends an event stream that is not a change feed's");
  };
}

/** Whether it was one of ours. */
function readMessage({ event, data }: EventSourceMessage, listener: StreamListener): boolean {
  if (event === SSE.ready) {
    const message = parseJson(data);
    const { gap, heartbeatMs } = isJsonObject(message) ? message : {};
    const announced = typeof heartbeatMs === "number" && heartbeatMs > 0 ? heartbeatMs : DEFAULT_HEARTBEAT_MS;
    listener.ready(gap !== false, announced);
    return true;
  }
  if (event !== SSE.change) {
    listener.other();
    return false;
  }
  const change = parseChangeEvent(parseJson(data));
  if (change) listener.change(change);
  else listener.garbage();
  return change !== null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
