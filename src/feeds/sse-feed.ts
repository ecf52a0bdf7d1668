import { ConfigurationError, ReplicaError } from "../errors.js";
import type { ChangeFeed } from "./change-feed.js";
import { createFetchStreams } from "./fetch-streams.js";
import { HandlerSet } from "./handler-set.js";
import type { StreamSigner } from "./open-stream.js";
import { RECONNECT_DEFAULTS, type ReconnectOptions } from "./reconnect-delay.js";
import { SseConnection } from "./sse-connection.js";
import { createUndiciStreams } from "./undici-streams.js";

export interface SseFeedOptions extends ReconnectOptions {
  /** The primary's feed, for instance `https://primary.example.com/v1/changes`. Credentials belong in `headers` or `auth`. */
  readonly url: string;
  /** Sent with every connect, for instance `Authorization`. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Signs each connect afresh; `createReplicaAuth` gives one. */
  readonly auth?: StreamSigner;
  /** What connects. Its answer's body must come in pieces. Default: undici, which has no deadline on a body. */
  readonly fetchFn?: typeof fetch;
  /** From the request to the answer's head, and from there to the greeting, in milliseconds. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** Longest event, in characters. A longer one ends the connection. Default 65 536. */
  readonly maxEventLength?: number;
  /** Told of each connect that failed, each stream that broke, and of garbage once per connection. Default: nobody. */
  readonly onError?: (error: ReplicaError) => void;
}

/** Node's timers run out at once above this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * A replica's end of the feed over SSE. All its subscribers share one connection, which opens with the first of them and closes with the
 * last. A connection that ends, breaks, or is silent for three of the server's heartbeats is opened again, from the last event on; where the server cannot
 * give what came in between, handlers get `gap()`. Redirects to another origin are not followed. `publish` rejects with
 * `INVALID_CONFIGURATION`: this end only listens.
 * @throws ConfigurationError on a URL or limits that cannot work
 */
export function createSseFeed(options: SseFeedOptions): ChangeFeed {
  const { url, headers = {}, auth, fetchFn, connectTimeoutMs = 10_000, maxEventLength = 65_536, onError } = options;
  const { reconnectBaseMs, reconnectCapMs } = { ...RECONNECT_DEFAULTS, ...options };
  const limits = { connectTimeoutMs, maxEventLength, reconnectBaseMs, reconnectCapMs };
  const mistakes = [...urlMistakes(url), ...headerMistakes(headers), ...limitMistakes(limits)];
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);

  const handlers = new HandlerSet();
  const connection = new SseConnection({
    ...limits,
    url,
    headers,
    auth,
    createTransport: () => (fetchFn ? createFetchStreams(fetchFn) : createUndiciStreams()),
    onError: (error) => tell(onError, error),
    onChange: (event) => handlers.change(event),
    onLive: (gap) => handlers.gap(gap ? "all" : "new"),
  });

  return {
    async publish() {
      throw new ReplicaError(
        "INVALID_CONFIGURATION",
        "A replica's feed only listens: writes are announced at the primary",
        {
          hint: "Give createPrimaryServerPlugin the feed that createSseChanges returns.",
        },
      );
    },
    subscribe(handler, signal) {
      const leave = handlers.add(handler, signal, () => {
        if (handlers.size === 0) connection.stop();
      });
      if (handlers.size > 0) connection.start();
      // The connection's own greeting has been.
      queueMicrotask(() => connection.live && handlers.gap("new"));
      return {
        async [Symbol.asyncDispose]() {
          leave();
          if (handlers.size === 0) await connection.stopped();
        },
      };
    },
  };
}

function tell(onError: SseFeedOptions["onError"], error: ReplicaError): void {
  try {
    onError?.(error);
  } catch (thrown) {
    process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

function urlMistakes(url: string): string[] {
  if (!URL.canParse(url)) return ["url must be an absolute URL"];
  const { protocol, username, password } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") return [`url must be http: or https:, not ${protocol}`];
  return username || password ? ["url must not carry credentials; put them in headers or auth"] : [];
}

/** Here, because what an HTTP client says of them would repeat a secret. */
function headerMistakes(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .filter(([name, value]) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    .map(([name]) => `headers: ${JSON.stringify(name)} cannot be sent`);
}

function limitMistakes(limits: Readonly<Record<string, number>>): string[] {
  return Object.entries(limits)
    .filter(([, value]) => typeof value !== "number" || !(value > 0) || value > LONGEST_TIMER_MS)
    .map(([name]) => `${name} must be a number above 0 and ${LONGEST_TIMER_MS} at most`);
}
