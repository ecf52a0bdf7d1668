import { ReplicaError, type ReplicaErrorCode } from "../errors.js";
import { isDiskFull } from "./error-code.js";

const REFUSED = new Set(["EACCES", "EPERM", "EROFS"]);
const MISPLACED = new Set(["ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG", "EEXIST", "EXDEV", "ENOTEMPTY"]);
const PASSING = new Set(["EMFILE", "ENFILE", "EAGAIN", "EBUSY", "EINTR", "ENOMEM", "ETIMEDOUT", "ETXTBSY"]);

/** What errors of a folder are. */
export interface FolderErrorNames {
  readonly code: ReplicaErrorCode;
  /** Where its disk is full. */
  readonly fullCode: ReplicaErrorCode;
  readonly fullHint: string;
}

/**
 * An error of the file system as ours; anything else as it is. To be thrown.
 * @param what begins the message, such as `Writing the export`.
 * @param dir the folder that all of it is in
 */
export function mapFolderError(error: unknown, what: string, dir: string, names: FolderErrorNames): unknown {
  if (!(error instanceof Error) || error instanceof ReplicaError) return error;
  const code = "code" in error ? String(error.code) : "";
  if (!/^E[A-Z0-9]+$/.test(code)) return error;
  if (isDiskFull(error)) {
    return new ReplicaError(names.fullCode, `${what}: the disk of "${dir}" is full (${error.message})`, {
      hint: names.fullHint,
      cause: error,
    });
  }
  // Node's own message names the path within the folder.
  return new ReplicaError(names.code, `${what}: ${error.message}`, {
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
