import type { ReplicaError } from "../errors.js";
import { beforeAbort } from "./before-abort.js";
import type { ThreadLink } from "./start-thread.js";

export interface OpenedThreadOptions {
  /** Starts a thread that answers `open` and `close` beside its other calls. */
  readonly start: () => ThreadLink;
  /** What calls reject with after `close`. */
  readonly stopped: () => ReplicaError;
  /** How long `close` waits for the thread to end what is under way, before it is ended. Default 10 000. */
  readonly closeGraceMs?: number;
  /** Where the thread has work of its own: another is started by itself when one dies that was open, after so many milliseconds, and longer each time. */
  readonly reopenAfterMs?: number;
}

interface Current extends ThreadLink {
  opened: Promise<unknown> | undefined;
}

/** An opened thread that lived so long was well. */
const WELL_AFTER_MS = 60_000;
const LONGEST_REOPEN_MS = 60_000;
const END_PATIENCE_MS = 1_000;

/**
 * A thread that is started by the first call and opened before any other. When it dies, everything under way rejects with `WORKER_FAILED` and the next
 * call starts another. Only while a call is under way does it keep the process alive. After `close`, which leaves no handle, calls reject.
 */
export class OpenedThread {
  readonly #options: OpenedThreadOptions;
  #current: Current | undefined;
  #closing: Promise<void> | undefined;
  #reopening: NodeJS.Timeout | undefined;
  #deaths = 0;

  constructor(options: OpenedThreadOptions) {
    this.#options = options;
  }

  /** An `AbortSignal` that is the last argument cuts the call short. */
  async call(method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#closing !== undefined) throw this.#options.stopped();
    const on = this.#thread();
    if (method === "open") return this.#open(on);
    const last = args.at(-1);
    const signal = last instanceof AbortSignal ? last : undefined;
    await beforeAbort(on.opened ?? this.#open(on), signal);
    if (this.#closing !== undefined) throw this.#options.stopped();
    return on.link.call(method, signal === undefined ? args : args.slice(0, -1), signal);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #thread(): Current {
    if (this.#current !== undefined) return this.#current;
    const started: Current = { ...this.#options.start(), opened: undefined };
    this.#current = started;
    const since = performance.now();
    void started.ended.then(() => {
      if (this.#current !== started) return;
      this.#current = undefined;
      if (performance.now() - since > WELL_AFTER_MS) this.#deaths = 0;
      if (started.opened !== undefined) this.#reopenLater();
    });
    return started;
  }

  #open(on: Current): Promise<unknown> {
    const opened = on.link.call("open", []);
    on.opened = opened;
    opened.catch(() => {
      // What died while it was being opened was to be open all the same.
      if (on.opened === opened && on.link.failure === undefined) on.opened = undefined;
    });
    return opened;
  }

  #reopenLater(): void {
    const { reopenAfterMs } = this.#options;
    if (reopenAfterMs === undefined || this.#closing !== undefined) return;
    clearTimeout(this.#reopening);
    const waitMs = Math.min(LONGEST_REOPEN_MS, reopenAfterMs * 2 ** this.#deaths);
    this.#deaths += 1;
    this.#reopening = setTimeout(() => {
      // A call was faster, or the thread dies again, which is seen where it is seen the first time.
      if (this.#current === undefined) this.call("open", []).catch(() => this.#reopenLater());
    }, waitMs).unref();
  }

  async #close(): Promise<void> {
    clearTimeout(this.#reopening);
    const on = this.#current;
    if (on === undefined) return;
    try {
      await within(on.link.call("close", []), this.#options.closeGraceMs ?? 10_000);
    } catch (error) {
      // A thread that has died is closed too.
      if (on.link.failure === undefined) throw error;
    } finally {
      on.link.fail(this.#options.stopped());
      on.terminate();
      // A thread inside a long native call ends when that returns; nobody waits for it.
      await within(on.ended, END_PATIENCE_MS);
    }
  }
}

async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
