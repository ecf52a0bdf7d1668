import { ReplicaError, type ReplicaErrorCode } from "../../errors.js";
import { SYNC_ENDS, type SyncEnd, SyncInterrupted } from "./sync-end.js";

/** What the peer did or wants: the server's operator has nothing to do about it. */
const REFUSALS: ReadonlySet<ReplicaErrorCode> = new Set<ReplicaErrorCode>([
  "PAGE_PROTOCOL",
  "INVALID_TOKEN",
  "GENERATION_CONFLICT",
  "NOT_A_DATABASE",
  "INTEGRITY_FAILED",
  "QUOTA_EXCEEDED",
]);

/** What an error means for the sync that met it. */
export function describeFailure(error: unknown): SyncEnd {
  if (error instanceof SyncInterrupted) return error.end;
  if (!(error instanceof ReplicaError)) return { outcome: "failed", error, closeCode: 1011 };
  // The store says so where its files went while it was asked.
  if (error.code === "UNKNOWN_DATABASE") return SYNC_ENDS.deleted;
  if (!REFUSALS.has(error.code)) return { outcome: "failed", error, closeCode: 1011 };
  return { outcome: "refused", error: withHint(error), closeCode: error.code === "PAGE_PROTOCOL" ? 1002 : 1008 };
}

/** An `error` frame has one field for words. */
function withHint(error: ReplicaError): ReplicaError {
  if (error.hint === undefined) return error;
  const what = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  return new ReplicaError(error.code, `${what} ${error.hint}`, { cause: error });
}
