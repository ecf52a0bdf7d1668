import type { Channel, SyncOutcome } from "../../src/scheduler/channel.js";
import type { SyncContext } from "../../src/scheduler/sync-context.js";
import { type Deferred, deferred } from "./wait.js";

/** A run that waits for the test to say how it ends. */
export interface HeldRun extends Deferred<SyncOutcome> {
  readonly context: SyncContext;
}

/** A channel whose runs the test watches and, with `hold`, ends by hand. */
export interface FakeChannel extends Channel {
  readonly runs: HeldRun[];
  /** Runs under way, and the most there ever were at once. */
  readonly active: { now: number; most: number };
}

export const NOTHING: SyncOutcome = { changed: false, items: 1, bytes: 10 };

interface FakeChannelOptions {
  /** Runs wait until the test resolves or rejects them, or they are aborted. Default: they end at once. */
  readonly hold?: boolean;
  /** What run number n (from 0) does when it is not held. Default: {@link NOTHING}. */
  readonly sync?: (n: number, context: SyncContext) => Promise<SyncOutcome>;
  readonly watch?: Channel["watch"];
  readonly close?: Channel["close"];
}

export function fakeChannel(name: string, options: FakeChannelOptions = {}): FakeChannel {
  const runs: HeldRun[] = [];
  const active = { now: 0, most: 0 };
  return {
    name,
    runs,
    active,
    ...(options.watch && { watch: options.watch }),
    ...(options.close && { close: options.close }),
    async sync(context) {
      const end = deferred<SyncOutcome>();
      const run: HeldRun = Object.create(end, { context: { value: context } });
      runs.push(run);
      active.now += 1;
      active.most = Math.max(active.most, active.now);
      try {
        if (!options.hold) return (await options.sync?.(runs.length - 1, context)) ?? NOTHING;
        context.signal.addEventListener("abort", () => end.reject(context.signal.reason));
        return await end.promise;
      } finally {
        active.now -= 1;
      }
    },
  };
}
