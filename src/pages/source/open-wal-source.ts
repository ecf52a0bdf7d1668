import { accessSync, closeSync, constants, fstatSync, openSync } from "node:fs";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";
import { beginRead } from "./begin-read.js";
import { type DatabaseHeader, HEADER_BYTES, readDatabaseHeader } from "./database-header.js";
import { FilePageSource } from "./file-page-source.js";
import { badFirstPage, cutShort } from "./not-a-database.js";
import type { PageSource } from "./page-source.js";
import { readFully } from "./read-pages.js";
import { WalFrames } from "./wal-frames.js";
import { readWalIndex, type WalIndex } from "./wal-index.js";
import { isEndOfLog } from "./wal-log.js";
import { logReplaced, WalPageSource } from "./wal-page-source.js";

export interface WalSourceOptions {
  readonly path: string;
  /** The same, without symbolic links: the files beside it have its name. */
  readonly realPath: string;
  /** In WAL mode, without a transaction. */
  readonly database: Database.Database;
  /** The database file, open for reading. */
  readonly fd: number;
  readonly signal: AbortSignal | undefined;
  /** How long commits may come between our reading what the moment is and our standing on it. */
  readonly steadySeconds: number;
  /** Closes the connection and then the file. */
  readonly closeDatabase: () => void;
  readonly onClosed: () => void;
}

/** So often it is tried at once; then others get their turn. */
const HASTY_TRIES = 50;
const PAUSE_MS = 5;

/**
 * One moment of a database in WAL mode, held by a read transaction. How a byte gets from the disk to a reader in this mode is described in
 * https://sqlite.org/walformat.html; why this may read them without SQLite:
 *
 * - The wal-index header is one moment: the last frame of the log that counts, and the log's salts. Read before and after our transaction has begun, and the
 *   same both times, it is the one that the transaction stands on.
 * - A reader holds a shared lock on a read mark k. Marks above 0 have the log stay as it is: it is begun anew only when nobody holds one. Checkpoints copy no
 *   frame beyond the lowest mark in use, and ours is not beyond our last frame: so they write to no page of the file but those that we take from the log.
 * - Mark 0 is taken only where all frames are in the database file already, and has no checkpoint write to it. The log may be begun anew then.
 * - So if, after our transaction began and with the header still the same, `nBackfill` is our last frame, all our pages are in the file, which stays as it
 *   is: under mark 0, and under another one too, since there is nothing left that may be copied. If it is smaller, so it was when we began, and our mark is
 *   not 0: frames `nBackfill + 1` to the last stay, and what is in none of them is in the file. An empty log is the first case, with 0 frames.
 * - The files beside the database are neither replaced nor removed while our connection is open. In exclusive locking mode there is no index in a file, and
 *   no second connection either: SQLite says that the database is locked.
 * - Where this user may not write to `-shm`, and no program that may has the database open, SQLite makes an index of its own, in memory. Then the file is
 *   believed only where the log ends where it says.
 *
 * Writers are not held up by any of it; the log grows until `close`.
 */
export async function openWalSource(options: WalSourceOptions): Promise<PageSource> {
  const { realPath } = options;
  const opened: number[] = [];
  const close = (): void => {
    options.closeDatabase();
    // After the connection: closing them lets go of its locks.
    for (const fd of opened.splice(0)) closeSync(fd);
    options.onClosed();
  };
  try {
    for (const suffix of ["-shm", "-wal"]) opened.push(openSync(`${realPath}${suffix}`, "r"));
    return await standingSource(options, opened[0] as number, opened[1] as number, close);
  } catch (error) {
    close();
    throw error;
  }
}

async function standingSource(
  options: WalSourceOptions,
  indexFd: number,
  logFd: number,
  close: () => void,
): Promise<PageSource> {
  const { path, realPath, fd, signal } = options;
  const isIndexOurs = isWritable(`${realPath}-shm`);
  const isMoment = async (index: WalIndex): Promise<boolean> => isIndexOurs || (await isEndOfLog(logFd, index, signal));
  const index = await standOnMoment(options, indexFd, isMoment);
  if (index.backfilled >= index.lastFrame) {
    const { size } = fstatSync(fd);
    const { pageSize, pageCount } = sizeOf(path, readStart(fd), index, size);
    if (size < pageCount * pageSize) throw cutShort(path, size, { pageSize, pageCount });
    return new FilePageSource(fd, pageSize, pageCount, close);
  }
  const frames = await WalFrames.read(logFd, index, signal);
  if (frames === null) throw logReplaced(path);
  let start = readStart(fd);
  if (frames.pageAt(0) === 1) {
    start = Buffer.alloc(index.pageSize);
    if (!frames.readAt(0, start)) throw logReplaced(path);
  }
  return new WalPageSource(path, fd, frames, sizeOf(path, start, index, 0), close);
}

async function standOnMoment(
  { path, database, signal, steadySeconds }: WalSourceOptions,
  indexFd: number,
  isMoment: (index: WalIndex) => Promise<boolean>,
): Promise<WalIndex> {
  const until = performance.now() + steadySeconds * 1_000;
  for (let tries = 1; ; tries += 1) {
    const before = readWalIndex(indexFd);
    if (before !== null && beginRead(database)) {
      const after = readWalIndex(indexFd);
      if (after?.header.equals(before.header) && (await isMoment(after))) return after;
      database.exec("ROLLBACK");
    }
    await (tries < HASTY_TRIES ? turn() : delay(PAUSE_MS));
    signal?.throwIfAborted();
    if (performance.now() > until) throw unsteadyLog(path);
  }
}

function readStart(fd: number): Buffer {
  const start = Buffer.alloc(HEADER_BYTES);
  return start.subarray(0, readFully(fd, start, 0));
}

/** What SQLite takes the database's size to be. */
function sizeOf(
  path: string,
  start: Buffer,
  index: WalIndex,
  fileBytes: number,
): { readonly pageSize: number; readonly pageCount: number } {
  const header: DatabaseHeader | null = readDatabaseHeader(start);
  if (header === null) throw badFirstPage(path);
  const { pageSize, pageCount } = header;
  if (index.lastFrame > 0 && index.pageSize !== pageSize) throw logReplaced(path);
  const counted = index.lastFrame > 0 ? index.pageCount : Math.ceil(fileBytes / pageSize);
  return { pageSize, pageCount: pageCount ?? counted };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function unsteadyLog(path: string): ReplicaError {
  return new ReplicaError(
    "SNAPSHOT_UNSTEADY",
    `Other programs write to ${path} so often that no moment of it could be found`,
    {
      hint: "Try again, or let this user write to the file `-shm` beside it if it may not.",
      retryable: true,
    },
  );
}
