import { ReplicaError, toReplicaError } from "../errors.js";
import type { Channel, SyncOutcome } from "./channel.js";
import { ChannelRunner, type ChannelRunnerOptions } from "./channel-runner.js";
import type { BackOffOptions } from "./delays.js";
import { guardErrorHandler } from "./error-handler.js";
import type { ChannelStatus } from "./run-ledger.js";
import { DEFAULT_CONCURRENCY, RunLimiter } from "./run-limiter.js";
import type { Schedule } from "./schedule.js";
import { verifySchedule } from "./verify-schedule.js";

export interface ScheduledChannel {
  readonly channel: Channel;
  readonly schedule: Schedule;
  /** Channels of one group share one concurrency limit, so that a source that hangs holds up only its own. Default: one group. */
  readonly group?: string;
}

export interface ChannelSchedulerOptions {
  /** Runs under way at once, per group. Default 8. */
  readonly concurrency?: number;
  readonly backOff?: BackOffOptions;
  /**
   * Told of every failed run that nobody awaits. An error that it throws becomes a process warning.
   */
  readonly onError?: (name: string, error: ReplicaError) => void;
  /** Source of jitter, from 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** Decides when channels run. Knows nothing of what they copy. */
export class ChannelScheduler {
  readonly #runners = new Map<string, ChannelRunner>();
  readonly #limiters = new Map<string, RunLimiter>();
  readonly #concurrency: number;
  readonly #surroundings: Omit<ChannelRunnerOptions, "limiter">;
  #phase: "created" | "started" | "stopped" = "created";
  #stopping: Promise<void> | null = null;

  constructor(channels: readonly ScheduledChannel[], options: ChannelSchedulerOptions = {}) {
    const { concurrency = DEFAULT_CONCURRENCY, backOff = {}, random = Math.random } = options;
    if (!(Number.isInteger(concurrency) && concurrency >= 1))
      throw new TypeError(`concurrency must be a whole number from 1, got ${concurrency}`);
    this.#concurrency = concurrency;
    this.#surroundings = { backOff, random, onError: guardErrorHandler(options.onError) };
    for (const channel of channels) this.add(channel);
  }

  /**
   * One more channel; where the scheduler is started, it runs once at once and then by its triggers.
   * @throws TypeError for a name that is there already or a schedule that no timer can keep
   */
  add({ channel, schedule, group = "" }: ScheduledChannel): void {
    const { name } = channel;
    verifySchedule(name, schedule);
    if (this.#runners.has(name)) throw new TypeError(`Two channels are named "${name}"`);
    const limiter = this.#limiters.get(group) ?? new RunLimiter(this.#concurrency);
    this.#limiters.set(group, limiter);
    const runner = new ChannelRunner(channel, schedule, { ...this.#surroundings, limiter });
    this.#runners.set(name, runner);
    if (this.#phase === "started") runner.start();
    else if (this.#phase === "stopped") void runner.stop();
  }

  /**
   * Takes a channel out: aborts its run, waits until that has ended, closes the channel. Its name is free when this resolves.
   * @throws `UNKNOWN_COLLECTION`
   */
  async remove(name: string): Promise<void> {
    const runner = this.#runner(name);
    await runner.stop();
    // Another call may have been faster, and the name may be somebody else's by now.
    if (this.#runners.get(name) !== runner) return;
    this.#runners.delete(name);
    await this.#close(runner);
  }

  /** A channel goes by another schedule from now on. @throws `UNKNOWN_COLLECTION`; `TypeError` for a schedule that cannot be. */
  reschedule(name: string, schedule: Schedule): void {
    verifySchedule(name, schedule);
    this.#runner(name).reschedule(schedule);
  }

  /** Runs every channel once, whatever its triggers, then each by its own. A second call does nothing. */
  start(): void {
    if (this.#stopping) throw new ReplicaError("STOPPED", "stop() is under way: await it before start()");
    this.#phase = "started";
    for (const runner of this.#runners.values()) runner.start();
  }

  /**
   * Aborts what is under way, waits until it has ended, closes the channels. Leaves no timer and no run behind; after it has resolved
   * nothing of this scheduler touches a store or the network. `start()` may follow.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  /**
   * Runs one channel now, or joins its run under way.
   * @param fresh only a run that begins after this call counts. Default `false`.
   * @throws the channel's error; `UNKNOWN_COLLECTION`; `STOPPED` after `stop()`.
   */
  async syncNow(name: string, fresh = false): Promise<SyncOutcome> {
    return await this.#runner(name).request("requested", fresh);
  }

  /** Runs every channel now. Failures go to `onError`; resolves when all have ended, rejects only when stopped. */
  async syncAll(): Promise<void> {
    const runs = [...this.#runners.values()].map(async (runner) => {
      try {
        await runner.request("sync_all");
      } catch (error) {
        if (error instanceof ReplicaError && error.code === "STOPPED") throw error;
      }
    });
    await Promise.all(runs);
  }

  /** A read of the channel's copy came in; see `Schedule`. Never rejects for a known name. */
  async onPull(name: string): Promise<void> {
    await this.#runner(name).onPull();
  }

  /** Waits at most `maxWaitMs` for a run that begins after this call. Failures go to `onError`. */
  async refresh(name: string, maxWaitMs: number): Promise<void> {
    await this.#runner(name).refresh(maxWaitMs);
  }

  /** A hint that the channel's source changed. */
  wake(name: string): void {
    this.#runner(name).wake();
  }

  /** There is something to do. Waits for the back-off of a channel that is failing. */
  nudge(name: string): void {
    this.#runner(name).nudge();
  }

  status(): ChannelStatus[] {
    return [...this.#runners.values()].map((runner) => runner.status());
  }

  async #stop(): Promise<void> {
    this.#phase = "stopped";
    const runners = [...this.#runners.values()];
    await Promise.all(runners.map((runner) => runner.stop()));
    await Promise.all(runners.map((runner) => this.#close(runner)));
  }

  async #close({ channel }: ChannelRunner): Promise<void> {
    try {
      await channel.close?.();
    } catch (error) {
      this.#surroundings.onError(channel.name, toReplicaError(error, "CHANNEL_FAILED", channel.name));
    }
  }

  #runner(name: string): ChannelRunner {
    const runner = this.#runners.get(name);
    if (!runner) throw new ReplicaError("UNKNOWN_COLLECTION", `Unknown channel: "${name}"`);
    return runner;
  }
}
