import { ReplicaError, type ReplicaErrorCode } from "../../errors.js";
import type { ErrorFrame } from "../protocol/frame.js";
import { SYNC_ENDS, type SyncEnd, SyncInterrupted } from "./sync-end.js";

/** What the peer did or wants: it is told, and the server's operator has nothing to do about it. */
const REFUSALS: ReadonlySet<ReplicaErrorCode> = new Set<ReplicaErrorCode>([
  "PAGE_PROTOCOL",
  "GENERATION_CONFLICT",
  "NOT_A_DATABASE",
  "INTEGRITY_FAILED",
  "QUOTA_EXCEEDED",
]);

/**
 * What an error means for the sync that met it.
 * @param tell the session's own words for it
 */
export function describeFailure(error: unknown, tell: (error: unknown) => ErrorFrame): SyncEnd {
  if (error instanceof SyncInterrupted) return error.end;
  // The store says so where its files went while it was asked.
  if (error instanceof ReplicaError && error.code === "UNKNOWN_DATABASE") return SYNC_ENDS.deleted;
  if (!(error instanceof ReplicaError) || !REFUSALS.has(error.code)) {
    return { outcome: "failed", lastWords: tell(error), closeCode: 1011 };
  }
  return { outcome: "refused", lastWords: tell(error), closeCode: error.code === "PAGE_PROTOCOL" ? 1002 : 1008 };
}
