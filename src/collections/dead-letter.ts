import type { ReplicaErrorCode } from "../errors.js";

/** A local write that the primary will never take as it is. It stays here until somebody mends the cause, writes anew, or drops it. */
export interface DeadLetter {
  readonly code: ReplicaErrorCode;
  /** HTTP status of the primary's refusal, `null` where it was not asked. */
  readonly status: number | null;
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
  /** Hash of the local document that was refused. */
  readonly hash: string;
}
