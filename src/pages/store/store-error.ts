import { ReplicaError } from "../../errors.js";

const FULL = ["ENOSPC", "EDQUOT", "EFBIG"] as const;
const REFUSED = new Set(["EACCES", "EPERM", "EROFS"]);
const MISPLACED = new Set(["ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG", "EEXIST", "EXDEV", "ENOTEMPTY"]);
const PASSING = new Set(["EMFILE", "ENFILE", "EAGAIN", "EBUSY", "EINTR", "ENOMEM", "ETIMEDOUT", "ETXTBSY"]);

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

/**
 * An error of the file system as `PAGE_STORE`; anything else as it is. To be thrown.
 * @param what begins the message, such as `Storing the push`.
 */
export function mapStoreError(error: unknown, what: string, dir: string): unknown {
  if (!(error instanceof Error) || error instanceof ReplicaError) return error;
  const code = "code" in error ? String(error.code) : "";
  if (!/^E[A-Z0-9]+$/.test(code)) return error;
  if (isDiskFull(error)) {
    return new ReplicaError("PAGE_STORE", `${what}: the disk of "${dir}" is full (${error.message})`, {
      hint: `Free space on the disk of "${dir}"; a push needs room for a second copy of its database. What was stored before is as it was.`,
      cause: error,
    });
  }
  // Node's own message names the path within the folder.
  return new ReplicaError("PAGE_STORE", `${what}: ${error.message}`, {
    hint: hintFor(code, dir),
    retryable: PASSING.has(code),
    cause: error,
  });
}

function hintFor(code: string, dir: string): string {
  if (REFUSED.has(code)) return `Make the folder "${dir}" and all in it readable and writable for the server's user.`;
  if (MISPLACED.has(code)) return `Something else lies where the folder "${dir}" keeps its own: move it away.`;
  if (code === "ENOENT") return `Something was removed from the folder "${dir}": nobody else may tidy up there.`;
  if (code === "EMFILE" || code === "ENFILE") return "Too many files are open: raise the limit (`ulimit -n`).";
  return `Look at the disk of "${dir}" and the system's log.`;
}
