import { setTimeout as sleep } from "node:timers/promises";
import type { ReplicaError } from "../errors.js";
import type { ChangeEvent } from "./change-feed.js";
import { createStreamReader, type StreamListener } from "./event-stream.js";
import { openStream, type StreamSigner } from "./open-stream.js";
import { startQuietWatch } from "./quiet-watch.js";
import { type ReconnectOptions, reconnectDelay } from "./reconnect-delay.js";
import { DEFAULT_HEARTBEAT_MS } from "./sse-wire.js";
import { streamErrors } from "./stream-errors.js";
import type { StreamTransport } from "./stream-transport.js";

export interface SseConnectionOptions extends Required<ReconnectOptions> {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly auth: StreamSigner | undefined;
  readonly connectTimeoutMs: number;
  readonly maxEventLength: number;
  readonly createTransport: () => StreamTransport;
  readonly onError: (error: ReplicaError) => void;
  readonly onChange: (event: ChangeEvent) => void;
  /** The stream is live. `gap`: and cannot prove that nothing was missed. Again in its course when it turns out that something was. */
  readonly onLive: (gap: boolean) => void;
}

/** A connection that lived this long was a good one: the next pause is short again. */
const GOOD_AFTER_MS = 5_000;

/** Heartbeats that may be missing before the connection counts as dead. */
const QUIET_BEATS = 3;
const LONGEST_QUIET_MS = 900_000;

/** Keeps a stream of changes open, whatever happens to it, from `start` to `stop`. May be started again. */
export class SseConnection {
  readonly #options: SseConnectionOptions;
  #run: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;
  #closing: Promise<unknown> = Promise.resolve();
  #live = false;
  #position: string | null = null;
  #wishMs = 0;

  constructor(options: SseConnectionOptions) {
    this.#options = options;
  }

  /** Whether `onLive` has been called for the connection that is open now. */
  get live(): boolean {
    return this.#live;
  }

  start(): void {
    if (this.#run) return;
    const abort = new AbortController();
    this.#position = null;
    this.#wishMs = 0;
    this.#run = { abort, ended: this.#keepOpen(abort.signal) };
  }

  /** Closes the connection at once. `stopped` resolves when it is. */
  stop(): void {
    const run = this.#run;
    if (!run) return;
    this.#run = undefined;
    this.#live = false;
    run.abort.abort();
    this.#closing = Promise.all([this.#closing, run.ended]);
  }

  /** Resolves when what was stopped has let go of everything. */
  async stopped(): Promise<void> {
    await this.#closing;
  }

  async #keepOpen(signal: AbortSignal): Promise<void> {
    const { createTransport, onError } = this.#options;
    const transport = createTransport();
    let failures = 0;
    try {
      while (!signal.aborted) {
        const openedAt = performance.now();
        let wishMs = 0;
        try {
          await this.#follow(transport, signal);
        } catch (error) {
          if (signal.aborted) return;
          const problem = streamErrors.unreachable(error, this.#options.url);
          wishMs = problem.retryAfterMs ?? 0;
          // What the stream said is of no use, and would be said again.
          if (problem.code === "ANSWER_TOO_LARGE" || problem.code === "ANSWER_INVALID") this.#position = null;
          onError(problem);
        } finally {
          if (!signal.aborted) this.#live = false;
        }
        failures = performance.now() - openedAt >= GOOD_AFTER_MS ? 1 : failures + 1;
        const delayMs = reconnectDelay(failures, Math.max(wishMs, this.#wishMs), this.#options);
        await sleep(delayMs, undefined, { signal }).catch(() => {});
      }
    } finally {
      await transport.close();
    }
  }

  /** One connection, from the request to the end of its stream. Rejects unless the server ended it in order. */
  async #follow(transport: StreamTransport, stopped: AbortSignal): Promise<void> {
    const { url, headers, auth, connectTimeoutMs, maxEventLength } = this.#options;
    // Beside the caller's end: no answer in time, and quiet for too long.
    const cut = new AbortController();
    const stop = (): void => cut.abort(stopped.reason);
    stopped.addEventListener("abort", stop, { once: true });
    const watch = startQuietWatch(connectTimeoutMs, (ms) => cut.abort(streamErrors.silent(url, ms)));
    const listener = this.#listen(stopped, (ms) => watch.allow(ms));
    const ended = new Promise<never>((_, reject) => {
      cut.signal.addEventListener("abort", () => reject(cut.signal.reason), { once: true });
    });
    let greeting: NodeJS.Timeout | undefined;
    const run = async (): Promise<void> => {
      const answer = await openStream(transport, { url, headers, auth, lastEventId: this.#position }, cut.signal);
      if (cut.signal.aborted) return answer.discard();
      watch.allow(QUIET_BEATS * DEFAULT_HEARTBEAT_MS);
      // A server that does not greet: its events count, and every connection is a gap.
      greeting = setTimeout(() => listener.other(), connectTimeoutMs);
      const read = createStreamReader(url, maxEventLength, listener);
      let isEmpty = true;
      try {
        for await (const piece of answer.body) {
          if (cut.signal.aborted) return;
          isEmpty = false;
          watch.alive();
          read(piece);
        }
      } catch (error) {
        throw streamErrors.broken(error, url);
      } finally {
        answer.discard();
      }
      if (isEmpty) throw streamErrors.endedEmpty(url);
    };
    try {
      await Promise.race([run(), ended]);
    } finally {
      clearTimeout(greeting);
      watch.stop();
      stopped.removeEventListener("abort", stop);
      // For a transport that has not heard of the end.
      cut.abort();
    }
  }

  /** Takes what one connection says. */
  #listen(stopped: AbortSignal, allowQuiet: (ms: number) => void): StreamListener {
    const { onChange, onError, onLive, url } = this.#options;
    let greeted = false;
    let sawGarbage = false;
    const ready = (gap: boolean): void => {
      // A handler that left in the middle of a piece.
      if (stopped.aborted) return;
      greeted = true;
      this.#live = true;
      onLive(gap);
    };
    const other = (): void => {
      if (!greeted) ready(true);
    };
    return {
      other,
      ready(gap, heartbeatMs) {
        allowQuiet(Math.min(LONGEST_QUIET_MS, QUIET_BEATS * heartbeatMs));
        ready(gap);
      },
      change(event) {
        other();
        onChange(event);
      },
      garbage() {
        other();
        if (sawGarbage) return;
        // Something changed and nobody knows what: once, or a sick server would keep us checking for ever.
        sawGarbage = true;
        onError(streamErrors.invalid(url, "sent an event that is not a change feed's"));
        onLive(true);
      },
      position: (id) => {
        if (!stopped.aborted) this.#position = id;
      },
      retry: (ms) => {
        this.#wishMs = ms;
      },
    };
  }
}
