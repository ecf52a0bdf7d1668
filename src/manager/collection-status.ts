import type { DeadLetter } from "../collections/dead-letter.js";
import type { WriteMode } from "../modes/write-mode.js";
import type { ChannelStatus } from "../scheduler/run-ledger.js";
import type { CollectionParts } from "./collection-parts.js";

/** What waits to be sent to the primary, and how sending goes. Times are ISO 8601 UTC. */
export interface OutboxStatus
  extends Pick<ChannelStatus, "state" | "lastAttemptAt" | "lastError" | "consecutiveFailures" | "nextRunAt"> {
  /** Since when a write has been waiting, as far as we have looked. */
  readonly pendingSince: string | null;
  /** Pushes that the primary accepted, and their bytes. */
  readonly sent: number;
  readonly sentBytes: number;
  /** The write that the primary will never take. */
  readonly deadLetter: DeadLetter | null;
  /** Documents sent without their author's proof, since the primary takes it from the author alone. */
  readonly proofsDropped: number;
}

/** What one collection has done and is about to do. */
export interface CollectionStatus extends ChannelStatus {
  readonly collection: string;
  readonly namespace: string | null;
  readonly writeMode: WriteMode;
  /** URL that is pulled. */
  readonly primary: string;
  /** Since when the primary has had no document; ISO 8601, or `null`. */
  readonly missingSince: string | null;
  /** `null` where local writes are not sent. */
  readonly outbox: OutboxStatus | null;
}

export function collectionStatus(
  { settings, channel, outbox }: CollectionParts,
  pulls: ChannelStatus,
  sends: ChannelStatus | undefined,
): CollectionStatus {
  return {
    ...pulls,
    collection: settings.collection,
    namespace: settings.namespace,
    writeMode: settings.policy.mode,
    primary: settings.pullUrl,
    missingSince: channel.missingSince,
    outbox:
      outbox && sends
        ? {
            state: sends.state,
            lastAttemptAt: sends.lastAttemptAt,
            lastError: sends.lastError,
            consecutiveFailures: sends.consecutiveFailures,
            nextRunAt: sends.nextRunAt,
            pendingSince: outbox.pending.pendingSince,
            sent: sends.items,
            sentBytes: sends.bytes,
            deadLetter: outbox.pending.deadLetter,
            proofsDropped: outbox.channel.proofsDropped,
          }
        : null,
  };
}
