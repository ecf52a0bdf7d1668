import type { ScheduledChannel } from "../scheduler/channel-scheduler.js";
import { MAX_TIMER_MS } from "../scheduler/max-timer.js";
import { SCHEDULE_DEFAULTS } from "../scheduler/schedule.js";
import type { CollectionParts } from "./collection-parts.js";
import type { RemoteCollection } from "./remote-collection.js";

interface Configured extends CollectionParts {
  readonly collection: RemoteCollection;
}

/** When a collection is pulled. */
export function pullSchedule({ channel, collection: { remote }, settings }: Configured): ScheduledChannel {
  const schedule = {
    // A mode that pulls nothing by itself has nothing to do on a timer or a read.
    triggers: settings.policy.pulls ? remote.syncTriggers : [],
    intervalMs: remote.intervalMs ?? SCHEDULE_DEFAULTS.intervalMs,
    onPullMinIntervalMs: remote.onPullMinIntervalMs ?? SCHEDULE_DEFAULTS.onPullMinIntervalMs,
    onPullMaxWaitMs: remote.onPullMaxWaitMs ?? SCHEDULE_DEFAULTS.onPullMaxWaitMs,
    runTimeoutMs: runTimeoutMs(settings.requestTimeoutMs),
  };
  return { channel, schedule, group: new URL(settings.pullUrl).origin };
}

/**
 * When local writes are sent: after each one, and every interval all the same, since the host swallows the errors of the hook that tells of
 * them.
 */
export function outboxSchedule({ outbox, collection: { remote }, settings }: Configured): ScheduledChannel[] {
  if (!outbox || settings.pushUrl === null) return [];
  const schedule = {
    triggers: ["scheduled"] as const,
    intervalMs: remote.intervalMs ?? SCHEDULE_DEFAULTS.intervalMs,
    runTimeoutMs: runTimeoutMs(settings.requestTimeoutMs),
  };
  return [{ channel: outbox.channel, schedule, group: new URL(settings.pushUrl).origin }];
}

/** Room for the tries of one request. */
function runTimeoutMs(requestTimeoutMs: number): number {
  return Math.min(MAX_TIMER_MS, 3 * requestTimeoutMs + 10_000);
}
