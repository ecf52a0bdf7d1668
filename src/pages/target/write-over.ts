import { closeSync, fsyncSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type Database from "better-sqlite3";
import { loadDriver } from "../../drivers/load-driver.js";
import { ReplicaError } from "../../errors.js";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";
import { setJournalMode } from "./check-integrity.js";
import type { ReplaceOptions } from "./replace-target.js";
import { momentOf } from "./watch-target.js";

const STEP_BYTES = 8 * 1024 * 1024;
/**
 * How long new readers of a database in rollback mode are kept out at a time while we wait for those that are there, and then let in again: a lock that we
 * asked for at gaps alone would never come where readers overlap, and one that we waited for without a break would fail them all.
 */
const KEEP_OUT_MS: readonly number[] = [0, 20, 50, 100, 250];
const PAUSE_MS = 25;
/** How long others may take to close a file that has to leave WAL mode. */
const CLOSE_PATIENCE_MS = 2_000;
/** For a look at what was written, when another program writes already. */
const LOOK_PATIENCE_MS = 30_000;

/**
 * Writes the staged version over a database in one transaction, with SQLite's backup API.
 * @throws `LOCAL_CHANGES`, `LOCAL_DATABASE`, the signal's reason; SQLite's errors
 */
export async function writeOver(options: ReplaceOptions): Promise<void> {
  const { path, staged, patienceSeconds = 30, signal } = options;
  const Driver = await loadDriver("better-sqlite3");
  // So that SQLite reads it without making files beside it; the file that it is written to has its own mode.
  if (staged.pageCount > 0) openToSqlite(staged.stagedPath);
  const target = new Driver(path, { fileMustExist: true, timeout: 0 });
  try {
    const source = new Driver(staged.stagedPath, { readonly: true });
    let leftWal = false;
    try {
      const sized = await takePageSize(target, options);
      const { hasChanged } = sized;
      leftWal = sized.leftWal;
      // One without pages takes the target's size, so that it can be written over one in WAL mode.
      if (staged.pageCount === 0) source.pragma(`page_size = ${target.pragma("page_size", { simple: true })}`);
      const until = performance.now() + patienceSeconds * 1_000;
      for (let attempt = 0; ; attempt++) {
        signal?.throwIfAborted();
        const keepOutMs = KEEP_OUT_MS[Math.min(attempt, KEEP_OUT_MS.length - 1)] ?? 0;
        const cookie = waitForReaders(target, keepOutMs);
        if (cookie !== null && hasChanged()) throw changedMeanwhile(path);
        if (cookie !== null && (await backUp({ source, target, cookie, hasChanged }, options))) break;
        if (performance.now() > until) throw stillInUse(path, patienceSeconds);
        await delay(PAUSE_MS);
      }
    } finally {
      source.close();
      if (leftWal) returnToWal(target);
    }
  } finally {
    settleLog(target, path);
    target.close();
  }
}

function openToSqlite(stagedPath: string): void {
  const fd = openSync(stagedPath, "r+");
  try {
    setJournalMode(fd, "rollback");
  } finally {
    closeSync(fd);
  }
}

interface Sized {
  /** Whether others have written to the file. */
  readonly hasChanged: () => boolean;
  readonly leftWal: boolean;
}

/** A database in WAL mode cannot change the size of its pages: it leaves that mode first. */
async function takePageSize(
  target: Database.Database,
  { path, staged, watch, signal }: ReplaceOptions,
): Promise<Sized> {
  const hasChanged = watch === null ? () => false : () => watch.changed();
  const isWal = target.pragma("journal_mode", { simple: true }) === "wal";
  const isOther = target.pragma("page_size", { simple: true }) !== staged.pageSize;
  if (!isWal || !isOther || staged.pageCount === 0) return { hasChanged, leftWal: false };
  const until = performance.now() + CLOSE_PATIENCE_MS;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return leaveWal(target, path, hasChanged);
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (performance.now() > until) throw cannotResize(path, staged.pageSize, error);
    }
    await delay(PAUSE_MS);
  }
}

/** What others have written shows until nobody can write any more, and again from before somebody can. */
function leaveWal(target: Database.Database, path: string, hasChanged: () => boolean): Sized {
  // https://sqlite.org/pragma.html#pragma_locking_mode: kept from one transaction to the next.
  target.pragma("locking_mode = EXCLUSIVE");
  try {
    target.exec("BEGIN IMMEDIATE; ROLLBACK");
    if (hasChanged()) throw changedMeanwhile(path);
    target.pragma("journal_mode = DELETE");
    const moment = momentOf(path);
    return { hasChanged: () => momentOf(path) !== moment, leftWal: true };
  } finally {
    target.pragma("locking_mode = NORMAL");
    // The next use of the file lets go of the lock.
    cookieOf(target);
  }
}

function cannotResize(path: string, pageSize: number, cause: unknown): ReplicaError {
  return new ReplicaError(
    "LOCAL_DATABASE",
    `The local database ${path} is in WAL mode and open in another program: there its pages cannot become the ${pageSize} bytes large that the pulled ones are`,
    { hint: "Close the other program, and pull again.", retryable: true, cause },
  );
}

/** @returns the schema cookie of the database when nobody had a lock that is in our way; `null` where somebody has */
function waitForReaders(target: Database.Database, keepOutMs: number): number | null {
  target.pragma(`busy_timeout = ${keepOutMs}`);
  try {
    target.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    if (isBusy(error)) return null;
    throw error;
  }
  try {
    return cookieOf(target);
  } finally {
    target.exec("ROLLBACK");
  }
}

interface Backup {
  readonly source: Database.Database;
  readonly target: Database.Database;
  readonly cookie: number;
  readonly hasChanged: () => boolean;
}

/** @returns `false` where somebody had a lock: the driver says then that all is done (https://sqlite.org/c3ref/backup_finish.html: SQLITE_BUSY) */
async function backUp(
  { source, target, cookie, hasChanged }: Backup,
  { path, staged, signal, onProgress }: ReplaceOptions,
): Promise<boolean> {
  const step = Math.max(1, Math.floor(STEP_BYTES / staged.pageSize));
  let isLocked = false;
  try {
    await source.backup(path, {
      progress: ({ totalPages, remainingPages }) => {
        // From the first call on nobody else can write.
        if (!isLocked && hasChanged()) throw changedMeanwhile(path);
        isLocked = true;
        signal?.throwIfAborted();
        onProgress?.({ pagesDone: totalPages - remainingPages, pagesTotal: totalPages });
        return step;
      },
    });
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
  target.pragma(`busy_timeout = ${LOOK_PATIENCE_MS}`);
  // SQLite gives the new content a cookie that is the old one's successor. So does a change of the schema by whoever had the lock: then we were told of
  // no step; of a version without pages nobody is.
  return (isLocked || staged.pageCount === 0) && cookieOf(target) !== cookie;
}

function returnToWal(target: Database.Database): void {
  try {
    target.pragma("busy_timeout = 0");
    target.pragma("journal_mode = WAL");
  } catch {
    // Somebody reads already. The content is there; how it is journalled is less than that.
  }
}

/** Makes what stands in a write-ahead log durable, and lets go of the room that it takes, if readers let us. */
function settleLog(target: Database.Database, path: string): void {
  try {
    if (target.pragma("journal_mode", { simple: true }) !== "wal") return;
    const log = openSync(`${path}-wal`, "r");
    try {
      fsyncSync(log);
    } finally {
      closeSync(log);
    }
    target.pragma("busy_timeout = 0");
    target.pragma("wal_checkpoint(PASSIVE)");
    target.pragma("wal_checkpoint(TRUNCATE)");
  } catch {
    // The next one who writes does it.
  }
}

function cookieOf(database: Database.Database): number {
  return Number(database.pragma("schema_version", { simple: true }));
}

function isBusy(error: unknown): boolean {
  return isSqliteError(error) && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
}

function changedMeanwhile(path: string): ReplicaError {
  return new ReplicaError("LOCAL_CHANGES", `The local database ${path} was written to while the pull was under way`, {
    hint: "It was left as it is. Pull again, with --force (`force: true`) if what was written may be lost.",
    retryable: true,
  });
}

function stillInUse(path: string, seconds: number): ReplicaError {
  return new ReplicaError(
    "LOCAL_DATABASE",
    `The local database ${path} was read or written by other programs for ${seconds} seconds on end`,
    {
      hint: "End the other programs' transactions, or put the database in WAL mode, in which readers are in nobody's way. Then pull again.",
      retryable: true,
    },
  );
}
