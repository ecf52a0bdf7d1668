import { setMaxListeners } from "node:events";
import { ReplicaError } from "../../../errors.js";
import { mapPostgresError } from "./map-postgres-error.js";
import { Session } from "./session.js";

/** How long an unused connection is kept. */
const IDLE_MS = 10_000;

/** How long a stopped query may take to say that it has. */
const STOP_MS = 2_000;

type Isolation = Parameters<Session["begin"]>[0];

/** The few connections of one source, made when they are needed. */
export class Connections {
  readonly #url: string;
  readonly #where: string;
  readonly #idle: Session[] = [];
  readonly #open = new Set<Session>();
  readonly #waiting: (() => void)[] = [];
  readonly #background = new Set<Promise<unknown>>();
  readonly #closed = new AbortController();
  readonly #maxStreams: number;
  #used = 0;
  #streams = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  /**
   * @param where names the server in errors, without credentials.
   * @param maxStreams how many may read rows at a time; there is one connection more, for short work.
   */
  constructor(url: string, where: string, maxStreams: number) {
    this.#url = url;
    this.#where = where;
    this.#maxStreams = maxStreams;
    // Everything under way listens to it.
    setMaxListeners(0, this.#closed.signal);
  }

  /** Runs `work` in a transaction that cannot write, and maps its errors. `long` for what lasts until its reader has had enough. */
  async use<T>(
    what: string,
    options: { readonly isolation: Isolation; readonly signal: AbortSignal; readonly long?: boolean },
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    const { signal, long = false } = options;
    const session = await this.acquire(what, options.isolation, signal, long);
    let done = false;
    try {
      const result = await this.unlessAborted(work(session), signal);
      done = true;
      return result;
    } catch (error) {
      throw this.mapError(error, what, signal);
    } finally {
      this.release(session, long, done);
    }
  }

  async acquire(what: string, isolation: Isolation, signal: AbortSignal, long: boolean): Promise<Session> {
    await this.#takeSlot(signal, long);
    let session: Session | undefined;
    try {
      for (;;) {
        const kept = this.#idle.pop();
        session = kept ?? (await this.#connect(signal));
        try {
          await this.unlessAborted(session.begin(isolation), signal);
          return session;
        } catch (error) {
          session.destroy();
          this.#open.delete(session);
          // A connection that died while nobody used it says nothing about the server.
          if (kept === undefined || signal.aborted || this.#closed.signal.aborted) throw error;
        }
      }
    } catch (error) {
      this.#giveSlot(long);
      throw this.mapError(error, what, signal);
    }
  }

  /** @param clean whether nothing runs on it any more. Else its query is cancelled and the connection given up. */
  release(session: Session, long: boolean, clean: boolean): void {
    const ended = clean && !session.broken ? this.#keep(session) : this.#cancel(session);
    this.#inBackground(ended.finally(() => this.#giveSlot(long)));
  }

  /** The work's result; or, as soon as one of us wants no more, that as an error. */
  async unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    let stopListening = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      stopListening = this.#onAbort(signal, reject);
    });
    work.catch(() => {});
    try {
      return await Promise.race([aborted, work]);
    } finally {
      stopListening();
    }
  }

  mapError(error: unknown, what: string, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (this.#closed.signal.aborted) return this.#closed.signal.reason;
    return mapPostgresError(error, `${this.#where}, ${what}`);
  }

  async close(): Promise<void> {
    this.#closed.abort(new ReplicaError("STOPPED", `${this.#where}: the source was closed`));
    clearTimeout(this.#idleTimer);
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all(this.#idle.splice(0).map((session) => this.#end(session)));
    while (this.#background.size > 0) await Promise.all(this.#background);
    for (const session of this.#open) session.destroy();
  }

  async #takeSlot(signal: AbortSignal, long: boolean): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      this.#closed.signal.throwIfAborted();
      // The one more stays free for short work: readers who ask something while they read never wait for each other.
      if (this.#used <= this.#maxStreams && (!long || this.#streams < this.#maxStreams)) break;
      const turn = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await this.unlessAborted(turn, signal);
    }
    this.#used += 1;
    if (long) this.#streams += 1;
  }

  #giveSlot(long: boolean): void {
    this.#used -= 1;
    if (long) this.#streams -= 1;
    // All of them: the first in line may be waiting for another kind of place.
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #connect(signal: AbortSignal): Promise<Session> {
    const giveUp = new AbortController();
    const stopListening = this.#onAbort(signal, (reason) => giveUp.abort(reason));
    try {
      const session = await Session.connect(this.#url, giveUp.signal);
      this.#open.add(session);
      return session;
    } finally {
      stopListening();
    }
  }

  /** Calls back as soon as one of us wants no more, now if that is so already. Returns how to stop listening. */
  #onAbort(signal: AbortSignal, callback: (reason: unknown) => void): () => void {
    // Not AbortSignal.any(): some versions of Node keep a trace of each in the signals, and `#closed` lives as long as the source.
    const both = [signal, this.#closed.signal];
    const stop = (): void => callback(both.find((one) => one.aborted)?.reason);
    if (both.some((one) => one.aborted)) stop();
    else for (const one of both) one.addEventListener("abort", stop, { once: true });
    return () => {
      for (const one of both) one.removeEventListener("abort", stop);
    };
  }

  async #keep(session: Session): Promise<void> {
    try {
      await within(session.rollback(), STOP_MS);
    } catch {
      session.destroy();
    }
    if (session.broken) {
      this.#open.delete(session);
    } else if (this.#closed.signal.aborted) {
      await this.#end(session);
    } else {
      this.#idle.push(session);
      clearTimeout(this.#idleTimer);
      this.#idleTimer = setTimeout(() => {
        for (const old of this.#idle.splice(0)) this.#inBackground(this.#end(old));
      }, IDLE_MS);
      this.#idleTimer.unref();
    }
  }

  /** A server does not notice that its client is gone before it has something to say: a long sort would go on. */
  async #cancel(session: Session): Promise<void> {
    const wasBroken = session.broken;
    const { backendPid } = session;
    session.destroy();
    this.#open.delete(session);
    if (wasBroken || backendPid === 0) return;
    const cancelling = (async () => {
      const other = this.#idle.pop() ?? (await Session.connect(this.#url, AbortSignal.timeout(STOP_MS)));
      await other.query("SELECT pg_catalog.pg_cancel_backend($1)", [backendPid]).finally(() => this.#end(other));
    })();
    // Without network, or where the role has no connection left, TCP will tell the server.
    await within(cancelling, STOP_MS).catch(() => {});
  }

  async #end(session: Session): Promise<void> {
    this.#open.delete(session);
    await within(session.end(), STOP_MS).catch(() => session.destroy());
  }

  #inBackground(work: Promise<unknown>): void {
    const task: Promise<unknown> = work.catch(() => {}).finally(() => this.#background.delete(task));
    this.#background.add(task);
  }
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("timeout")), ms);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
