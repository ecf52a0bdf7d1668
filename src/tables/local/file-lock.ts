import { realpathSync } from "node:fs";
import { ReplicaError } from "../../errors.js";
import { loadDriver } from "../load-driver.js";
import { isSqliteError, mapSqliteError } from "./map-sqlite-error.js";

/** Held until `release()`, or until the process ends, however it ends. */
export interface FileLock {
  release(): void;
}

/**
 * Makes sure that one engine alone copies into a local file, which exists: two would move each other's cursors. It is SQLite's own lock on an empty
 * database beside the file, `<path>-replication-lock`, so that the system lets go of it when the process dies; the file itself stays.
 * Readers, and writers of other tables, are not concerned.
 * @throws `LOCAL_DATABASE`, retryable, where another engine holds it.
 */
export async function lockFile(path: string): Promise<FileLock> {
  const Driver = await loadDriver("better-sqlite3");
  // By its real name, so that a link to the file is no way around.
  const beside = `${realpathSync(path)}-replication-lock`;
  let lock: InstanceType<typeof Driver> | undefined;
  try {
    lock = new Driver(beside, { timeout: 1_000 });
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock?.close();
    if (isSqliteError(error) && error.code.startsWith("SQLITE_BUSY"))
      throw new ReplicaError("LOCAL_DATABASE", `The local database ${path} is being copied into by another process`, {
        hint: "stop that one, or give each its own file; reading the file is possible at any time",
        retryable: true,
        cause: error,
      });
    throw mapSqliteError(error, `The lock ${beside} cannot be taken`);
  }
  const held = lock;
  return { release: () => void held.close() };
}
