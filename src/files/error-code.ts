import { ReplicaError } from "../errors.js";

const FULL = ["ENOSPC", "EDQUOT", "EFBIG"] as const;

/** Whether a system call failed with one of these. Also of an error of ours that it is the cause of. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ReplicaError) return hasErrorCode(error.cause, ...codes);
  return "code" in error && typeof error.code === "string" && codes.includes(error.code);
}

/** Whether there was no room for what was written. */
export function isDiskFull(error: unknown): boolean {
  return hasErrorCode(error, ...FULL);
}
