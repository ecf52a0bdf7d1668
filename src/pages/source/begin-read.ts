import type Database from "better-sqlite3";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";

/**
 * Begins a transaction that holds the read lock.
 * @returns `false` where another program's lock is in the way
 * @throws SQLite's errors, without a transaction
 */
export function beginRead(database: Database.Database): boolean {
  database.exec("BEGIN");
  try {
    database.pragma("schema_version");
    return true;
  } catch (error) {
    database.exec("ROLLBACK");
    if (isSqliteError(error) && error.code.startsWith("SQLITE_BUSY")) return false;
    throw error;
  }
}
