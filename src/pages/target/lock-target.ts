import type { FileLock } from "../../sqlite/file-lock.js";

/**
 * Makes sure that one pull or push at a time works with a file, which need not be there: SQLite's lock on an empty database beside it, `<file>-replica-lock`.
 * @param path as `resolveTarget` gives it
 * @throws `LOCAL_DATABASE`, retryable, where another has it
 */
export async function lockTarget(_path: string): Promise<FileLock> {
  throw new Error("Not written yet");
}
