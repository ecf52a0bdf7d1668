import { channel, type Channel as DiagnosticsChannel } from "node:diagnostics_channel";
import type { ReplicaError } from "../errors.js";
import type { SyncOutcome } from "./channel.js";
import type { SyncReason } from "./sync-context.js";

/** Published on `node:diagnostics_channel` under {@link SYNC_EVENTS} after every run. */
export interface SyncEvent {
  readonly name: string;
  /** What the channel does: `pull`, or `push` for the outbox of a collection, which has the same name. */
  readonly work: string;
  readonly reason: SyncReason;
  /** From being let in by the concurrency limit to the end, in milliseconds. */
  readonly durationMs: number;
  /** Sum over the run's rounds, or `null` where it failed. */
  readonly outcome: SyncOutcome | null;
  readonly error: ReplicaError | null;
}

/** Name of the diagnostics channel. https://nodejs.org/api/diagnostics_channel.html */
export const SYNC_EVENTS = "starfish-replica:sync";

const events: DiagnosticsChannel = channel(SYNC_EVENTS);

/** Tells the subscribers, where there are any. */
export function publishSyncEvent(event: SyncEvent): void {
  if (events.hasSubscribers) events.publish(event);
}
