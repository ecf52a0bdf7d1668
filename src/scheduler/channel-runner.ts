import { ReplicaError, toReplicaError } from "../errors.js";
import type { Channel, SyncOutcome } from "./channel.js";
import { type BackOffOptions, backOffDelay, intervalDelay } from "./delays.js";
import { MAX_TIMER_MS } from "./max-timer.js";
import { type ChannelStatus, RunLedger } from "./run-ledger.js";
import type { RunLimiter, RunTicket } from "./run-limiter.js";
import { SCHEDULE_DEFAULTS, type Schedule } from "./schedule.js";
import type { SyncReason } from "./sync-context.js";
import { publishSyncEvent } from "./sync-events.js";
import { keepWatching } from "./watch-loop.js";

export interface ChannelRunnerOptions {
  readonly limiter: RunLimiter;
  readonly backOff: BackOffOptions;
  readonly random: () => number;
  readonly onError: (name: string, error: ReplicaError) => void;
}

interface Run {
  readonly abort: AbortController;
  readonly promise: Promise<SyncOutcome>;
}

/** Runs whose callers wait for the answer. */
const URGENT: ReadonlySet<SyncReason> = new Set(["on_pull", "requested", "on_change"]);

/**
 * When one channel runs. Invariants, which the tests quote:
 * 1. at most one run is under way, whoever asks;
 * 2. at most one timer is armed, and only while no run is under way and the runner is started;
 * 3. after `stop()` has resolved there is neither a run nor a timer, and none can begin.
 */
export class ChannelRunner {
  readonly channel: Channel;
  #schedule: Required<Schedule>;
  readonly #options: ChannelRunnerOptions;
  readonly #ledger = new RunLedger();
  #phase: "created" | "started" | "stopped" = "created";
  #current: Run | null = null;
  #ticket: RunTicket | null = null;
  #begun = false;
  #begunAt = 0;
  #nudged = false;
  #following: Promise<SyncOutcome> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #nextRunAt: number | null = null;
  #retryAt = Number.NEGATIVE_INFINITY;
  #firstInterval = true;
  #watching: { readonly abort: AbortController; readonly ended: Promise<void> } | null = null;

  constructor(channel: Channel, schedule: Schedule, options: ChannelRunnerOptions) {
    this.channel = channel;
    this.#schedule = { ...SCHEDULE_DEFAULTS, ...schedule };
    this.#options = options;
  }

  /** Runs once, then by its triggers. Does nothing when started already. */
  start(): void {
    if (this.#phase === "started") return;
    this.#phase = "started";
    this.#firstInterval = true;
    this.#inBackground("start");
    if (!this.channel.watch || !this.#schedule.triggers.includes("on_change")) return;
    const abort = new AbortController();
    const ended = keepWatching(this.channel, () => this.wake(), abort.signal, this.#options);
    this.#watching = { abort, ended };
  }

  /** Goes by another schedule from now on; a run under way goes on. */
  reschedule(schedule: Schedule): void {
    this.#schedule = { ...SCHEDULE_DEFAULTS, ...schedule };
    if (!this.#timer || this.#ledger.failures > 0) return;
    this.#disarm();
    this.#arm(null);
  }

  /** Aborts the run under way and waits until it has ended. */
  async stop(): Promise<void> {
    this.#phase = "stopped";
    this.#disarm();
    this.#watching?.abort.abort(stopped(this.channel.name));
    this.#current?.abort.abort(stopped(this.channel.name));
    await Promise.allSettled([this.#current?.promise, this.#following, this.#watching?.ended]);
    this.#watching = null;
  }

  /**
   * Runs now, or joins the run under way. With `fresh` the answer is that of a run which began after this call: a run that has begun
   * already may have looked at the source too early.
   */
  request(reason: SyncReason, fresh = false): Promise<SyncOutcome> {
    if (this.#phase === "stopped") return Promise.reject(stopped(this.channel.name));
    if (!this.#current) return this.#begin(reason);
    if (fresh && this.#begun) {
      this.#following ??= this.#current.promise
        .catch(() => {})
        .then(() => {
          this.#following = null;
          return this.request(reason);
        });
      return this.#following;
    }
    if (URGENT.has(reason)) this.#ticket?.promote();
    return this.#current.promise;
  }

  /** A read came in: run unless cooling down or backing off, and wait a bounded time. Never rejects. */
  async onPull(): Promise<void> {
    if (!this.#schedule.triggers.includes("on_pull") || this.#phase === "stopped") return;
    if (!this.#current) {
      const now = performance.now();
      if (now < this.#retryAt || now - this.#ledger.completedAt < this.#schedule.onPullMinIntervalMs) return;
    }
    // A run that hangs has had its chance with the readers before.
    const age = this.#begun ? performance.now() - this.#begunAt : 0;
    const patience = Math.max(0, this.#schedule.onPullMaxWaitMs - age);
    await settledWithin(this.request("on_pull"), patience);
  }

  /** Waits a bounded time for a run that begins after this call. Never rejects: a failure is reported like any other. */
  async refresh(maxWaitMs: number): Promise<void> {
    await settledWithin(this.request("on_change", true), maxWaitMs);
  }

  /** The source says that it changed: run soon, back-off or not. */
  wake(): void {
    if (this.#phase === "started") this.#inBackground("on_change", true);
  }

  /** There is something to do: run soon, unless backing off. */
  nudge(): void {
    if (this.#current && this.#begun) this.#nudged = true;
    else if (performance.now() >= this.#retryAt) this.wake();
  }

  status(): ChannelStatus {
    const state =
      this.#phase === "stopped" ? "stopped" : this.#begun ? "running" : this.#ledger.failures > 0 ? "failing" : "idle";
    return this.#ledger.status(this.channel.name, state, this.#nextRunAt);
  }

  /** A run whose failure nobody awaits: it is reported where it ends. */
  #inBackground(reason: SyncReason, fresh = false): void {
    this.request(reason, fresh).catch(() => {});
  }

  #begin(reason: SyncReason): Promise<SyncOutcome> {
    this.#disarm();
    const abort = new AbortController();
    const promise = this.#run(reason, abort);
    this.#current = { abort, promise };
    return promise;
  }

  async #run(reason: SyncReason, abort: AbortController): Promise<SyncOutcome> {
    let outcome: SyncOutcome | null = null;
    let error: ReplicaError | null = null;
    try {
      outcome = await this.#rounds(reason, abort);
      return outcome;
    } catch (cause) {
      error = abort.signal.aborted
        ? toReplicaError(abort.signal.reason, "STOPPED", this.channel.name)
        : toReplicaError(cause, "CHANNEL_FAILED", this.channel.name);
      throw error;
    } finally {
      const durationMs = this.#begun ? performance.now() - this.#begunAt : 0;
      this.#settle(reason, outcome, error, durationMs);
    }
  }

  /** Rounds until the source has no more; between rounds other channels get their turn, unless the channel holds its place. */
  async #rounds(reason: SyncReason, abort: AbortController): Promise<SyncOutcome> {
    let total: SyncOutcome = { changed: false, items: 0, bytes: 0, idle: true };
    const aborted = abortion(abort.signal);
    // Where nothing waits for it, it is nobody's business.
    aborted.catch(() => {});
    let held = false;
    try {
      for (;;) {
        if (!held) this.#ticket = this.#options.limiter.enter(URGENT.has(reason));
        await Promise.race([this.#ticket?.granted, aborted]);
        if (!this.#begun) {
          this.#begunAt = performance.now();
          this.#ledger.begin();
        }
        this.#begun = true;
        const outcome = await this.#round(reason, abort);
        total = {
          changed: total.changed || outcome.changed,
          items: total.items + outcome.items,
          bytes: total.bytes + outcome.bytes,
          // One round that tried something is enough.
          ...(total.idle && outcome.idle && { idle: true }),
        };
        if (!outcome.more || abort.signal.aborted) return total;
        held = outcome.hold === true;
        if (!held) this.#ticket?.release();
      }
    } finally {
      this.#ticket?.release();
    }
  }

  async #round(reason: SyncReason, abort: AbortController): Promise<SyncOutcome> {
    const { runTimeoutMs } = this.#schedule;
    const deadline = setTimeout(() => abort.abort(timedOut(this.channel.name, runTimeoutMs)), runTimeoutMs);
    try {
      return await this.channel.sync({ signal: abort.signal, reason });
    } finally {
      clearTimeout(deadline);
    }
  }

  #settle(reason: SyncReason, outcome: SyncOutcome | null, error: ReplicaError | null, durationMs: number): void {
    this.#current = null;
    this.#ticket = null;
    this.#begun = false;
    if (outcome) this.#ledger.succeed(outcome);
    else if (error && error.code !== "STOPPED") this.#ledger.fail(error);
    this.#arm(error);
    // What came up during a run that failed waits for the retry.
    if (this.#nudged && !error) this.wake();
    this.#nudged = false;
    publishSyncEvent({
      name: this.channel.name,
      work: this.channel.work ?? "pull",
      reason,
      durationMs,
      outcome,
      error,
    });
    // Who asked by name gets the error as the answer.
    if (error && error.code !== "STOPPED" && reason !== "requested") this.#options.onError(this.channel.name, error);
  }

  #arm(error: ReplicaError | null): void {
    this.#retryAt = Number.NEGATIVE_INFINITY;
    if (this.#phase === "stopped") return;
    if (error) {
      const delay = backOffDelay(this.#ledger.failures, this.#options.backOff, this.#options.random);
      const retryMs = Math.max(delay, error.retryAfterMs ?? 0);
      this.#retryAt = performance.now() + retryMs;
      this.#armTimer("retry", retryMs);
    } else if (this.#schedule.triggers.includes("scheduled")) {
      this.#armTimer("scheduled", intervalDelay(this.#schedule.intervalMs, this.#firstInterval, this.#options.random));
      this.#firstInterval = false;
    }
  }

  #armTimer(reason: "retry" | "scheduled", wishedMs: number): void {
    if (this.#phase !== "started") return;
    const delayMs = Math.min(wishedMs, MAX_TIMER_MS);
    this.#nextRunAt = Date.now() + delayMs;
    this.#timer = setTimeout(() => this.#inBackground(reason), delayMs);
  }

  #disarm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#nextRunAt = null;
  }
}

function stopped(name: string): ReplicaError {
  return new ReplicaError("STOPPED", `${name}: replication is stopped`);
}

function timedOut(name: string, timeoutMs: number): ReplicaError {
  return new ReplicaError("RUN_TIMEOUT", `${name}: a run took longer than its deadline of ${timeoutMs} ms`, {
    retryable: true,
  });
}

function abortion(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Resolves when the promise has settled, either way, or the time is over. */
function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    const settled = (): void => {
      clearTimeout(timer);
      resolve();
    };
    promise.then(settled, settled);
  });
}
