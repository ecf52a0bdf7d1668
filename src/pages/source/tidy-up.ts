import { resolve } from "node:path";
import type Database from "better-sqlite3";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";

const TIMEOUT_MS = 1_000;

/** Whether a program died in the middle of a transaction, which only a connection that may write can undo. */
export function isLeftUnfinished(error: unknown): boolean {
  return isSqliteError(error) && error.code.startsWith("SQLITE_READONLY_ROLLBACK");
}

/**
 * Comes and goes as a connection that may write: it undoes a transaction that was left unfinished, and as the last one to go it removes the files `-wal` and
 * `-shm`.
 * @throws SQLite's errors, as where this user may not write
 */
export function tidyUp(Driver: typeof Database, path: string): void {
  const database = new Driver(resolve(path), { fileMustExist: true, timeout: TIMEOUT_MS });
  try {
    database.pragma("schema_version");
  } finally {
    database.close();
  }
}
