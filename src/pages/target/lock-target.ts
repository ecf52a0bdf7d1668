import { type FileLock, lockBeside } from "../../sqlite/file-lock.js";

/**
 * Makes sure that one pull or push at a time works with a file, which need not be there: SQLite's lock on an empty database beside it, `<file>-replica-lock`.
 * @param path as `resolveTarget` gives it
 * @throws `LOCAL_DATABASE`, retryable, where another has it
 */
export async function lockTarget(path: string): Promise<FileLock> {
  return lockBeside(`${path}-replica-lock`, {
    what: `The local database ${path} is being synced by another process`,
    hint: "Let the other sync end, then try again.",
  });
}
