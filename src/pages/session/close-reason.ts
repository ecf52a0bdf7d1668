import { ReplicaError, type ReplicaErrorCode } from "../../errors.js";

/** What a client does something about; the words of the `error` frame are for people. */
const NAMED: ReadonlySet<ReplicaErrorCode> = new Set(["GENERATION_CONFLICT", "INVALID_TOKEN"]);

/**
 * Why a server ends a sync, for the WebSocket's close frame: the page protocol has words alone, and what a client of ours has to know from others is no
 * part of it. Empty where it need not be known.
 */
export function closeReason(error: unknown): ReplicaErrorCode | "" {
  return error instanceof ReplicaError && NAMED.has(error.code) ? error.code : "";
}
