import { realpathSync } from "node:fs";
import { loadDriver } from "../drivers/load-driver.js";
import { ReplicaError } from "../errors.js";
import { isSqliteError, mapSqliteError } from "./map-sqlite-error.js";

/** Held until `release()`, or until the process ends, however it ends. */
export interface FileLock {
  release(): void;
}

/**
 * Makes sure that one owner alone works with a file, which exists. It is SQLite's own lock on an empty database beside the file,
 * `<path>-replication-lock`, so that the system lets go of it when the process dies; the file itself stays. Readers, and other writers, are
 * not concerned.
 * @param taken says what another owner has made of the file: "The local database x is being copied into by another process"
 * @throws `LOCAL_DATABASE`, retryable, where another owner holds it.
 */
export async function lockFile(
  path: string,
  taken: { readonly what: string; readonly hint: string },
): Promise<FileLock> {
  // By its real name, so that a link to the file is no way around.
  return lockBeside(`${realpathSync(path)}-replication-lock`, taken);
}

/**
 * The same with a lock whose own path is given, for a file that need not be there.
 * @throws as `lockFile`
 */
export async function lockBeside(
  beside: string,
  taken: { readonly what: string; readonly hint: string },
): Promise<FileLock> {
  const Driver = await loadDriver("better-sqlite3");
  let lock: InstanceType<typeof Driver> | undefined;
  try {
    lock = new Driver(beside, { timeout: 1_000 });
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock?.close();
    if (isSqliteError(error) && error.code.startsWith("SQLITE_BUSY"))
      throw new ReplicaError("LOCAL_DATABASE", taken.what, { hint: taken.hint, retryable: true, cause: error });
    throw mapSqliteError(error, `The lock ${beside} cannot be taken`);
  }
  const held = lock;
  return { release: () => void held.close() };
}
