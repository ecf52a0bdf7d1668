import { statSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type Database from "better-sqlite3";
import { loadDriver } from "../drivers/load-driver.js";
import { ReplicaError } from "../errors.js";
import { mapSourceError } from "./map-source-error.js";
import { isSqliteError } from "./map-sqlite-error.js";

/** A database that is read, with a read transaction begun. */
export interface OpenedSource {
  readonly database: Database.Database;
  /** Whether writers go on while the transaction lasts. Else it has to be ended soon. */
  readonly wal: boolean;
}

const LOCK_PATIENCE_MS = 5_000;
/** What SQLite itself waits: it blocks the thread, which has to hear of an abort. */
const BLOCKING_WAIT_MS = 20;

/**
 * Opens a database for reading alone. Nothing is written to it; in WAL mode SQLite makes the files `-wal` and `-shm` beside it where they are not.
 * @param patienceMs how long a lock of another program is waited for. Default 5 seconds.
 * @throws `LOCAL_DATABASE`, whose cause is SQLite's own error; the signal's reason
 */
export async function openSource(
  path: string,
  signal: AbortSignal,
  patienceMs: number = LOCK_PATIENCE_MS,
): Promise<OpenedSource> {
  checkFile(path);
  const Driver = await loadDriver("better-sqlite3");
  const until = performance.now() + patienceMs;
  for (;;) {
    signal.throwIfAborted();
    let database: Database.Database | undefined;
    try {
      database = new Driver(resolve(path), { readonly: true, timeout: BLOCKING_WAIT_MS });
      database.exec("BEGIN");
      // Reads the file's first page, and no schema: a copy does not need one.
      database.pragma("schema_version");
      return { database, wal: database.pragma("journal_mode", { simple: true }) === "wal" };
    } catch (error) {
      database?.close();
      const isBusy = isSqliteError(error) && error.code.startsWith("SQLITE_BUSY");
      if (!isBusy || performance.now() > until) throw mapSourceError(error, path);
    }
    await delay(BLOCKING_WAIT_MS);
  }
}

/** Whether `openSource` failed for want of the two files that readers of a database in WAL mode share. */
export function isUnshared(error: unknown): error is ReplicaError {
  const cause = error instanceof ReplicaError ? error.cause : undefined;
  return isSqliteError(cause) && /^SQLITE_(CANTOPEN|READONLY_DIRECTORY|READONLY_CANTINIT)/.test(cause.code);
}

/** SQLite takes a folder for a file that cannot be read, and `/dev/null` for an empty database. */
function checkFile(path: string): void {
  let what: string;
  try {
    const stats = statSync(path);
    if (stats.isFile()) return;
    what = stats.isDirectory() ? "is a folder" : "is no ordinary file";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const words = code === "ENOENT" || code === "ENOTDIR" ? "does not exist" : `cannot be reached: ${error}`;
    throw new ReplicaError("LOCAL_DATABASE", `The database ${path} ${words}`, {
      hint: "Give the path of a SQLite file that this user may read.",
      retryable: true,
      cause: error,
    });
  }
  throw new ReplicaError("LOCAL_DATABASE", `The database ${path} ${what}`, {
    hint: "Give the path of a SQLite file.",
  });
}
