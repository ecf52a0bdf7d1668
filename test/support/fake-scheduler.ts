import { ReplicaError } from "../../src/errors.js";
import { ChannelScheduler, type ChannelSchedulerOptions } from "../../src/scheduler/channel-scheduler.js";
import type { Schedule } from "../../src/scheduler/schedule.js";
import type { FakeChannel } from "./fake-channel.js";

/** A channel that runs every second. */
export const SCHEDULED: Schedule = { triggers: ["scheduled"], intervalMs: 1_000 };

/** A scheduler of one channel, its dice always in the middle. */
export function schedule(
  channel: FakeChannel,
  plan: Schedule = SCHEDULED,
  options: ChannelSchedulerOptions = {},
): ChannelScheduler {
  return new ChannelScheduler([{ channel, schedule: plan }], { random: () => 0.5, ...options });
}

/** What a channel fails with whose source cannot be reached. */
export const failure: ReplicaError = new ReplicaError("PRIMARY_UNREACHABLE", "down", { retryable: true });
