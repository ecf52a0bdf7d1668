import { ReplicaError } from "../../errors.js";

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const REFUSED = new Set(["EACCES", "EPERM", "EROFS"]);
const MISPLACED = new Set(["ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG", "EEXIST", "EXDEV"]);
const PASSING = new Set(["EMFILE", "ENFILE", "EAGAIN", "EBUSY", "EINTR", "ENOMEM", "ETIMEDOUT", "ETXTBSY"]);

/** Whether a system call failed with one of these. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}

/**
 * An error of the file system as `DISK_LIMIT` or `ARTIFACT_STORE`; anything else as it is. To be thrown.
 * @param what begins the message, such as `Writing the export`.
 */
export function mapDirectoryError(error: unknown, what: string, dir: string): unknown {
  if (!(error instanceof Error) || error instanceof ReplicaError) return error;
  const code = "code" in error ? String(error.code) : "";
  if (!/^E[A-Z0-9]+$/.test(code)) return error;
  if (FULL.has(code)) {
    return new ReplicaError("DISK_LIMIT", `${what}: the disk of "${dir}" is full (${error.message})`, {
      hint: `Free space on the disk of "${dir}", or remove old exports.`,
      cause: error,
    });
  }
  // Node's own message names the path within the folder.
  return new ReplicaError("ARTIFACT_STORE", `${what}: ${error.message}`, {
    hint: hintFor(code, dir),
    retryable: PASSING.has(code),
    cause: error,
  });
}

function hintFor(code: string, dir: string): string {
  if (REFUSED.has(code)) return `Make the folder "${dir}" and all in it readable and writable for this user.`;
  if (MISPLACED.has(code)) return `Something else lies where the folder "${dir}" keeps its own: move it away.`;
  if (code === "ENOENT") return `Something was removed from the folder "${dir}": nobody else may tidy up there.`;
  if (code === "EMFILE" || code === "ENFILE") return "Too many files are open: raise the limit (`ulimit -n`).";
  return `Look at the disk of "${dir}" and the system's log.`;
}
