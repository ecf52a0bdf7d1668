import { fstatSync } from "node:fs";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";
import { StepPace } from "../../sqlite/step-pace.js";
import { beginRead } from "./begin-read.js";
import { type DatabaseHeader, HEADER_BYTES, readDatabaseHeader } from "./database-header.js";
import { badFirstPage, cutShort } from "./not-a-database.js";
import { readFully, readPages } from "./read-pages.js";
import { isLeftUnfinished, tidyUp } from "./tidy-up.js";

export interface LockedCopyOptions {
  readonly path: string;
  /** Not in WAL mode, without a transaction. */
  readonly database: Database.Database;
  readonly Driver: typeof Database;
  /** The database file, open for reading. */
  readonly fd: number;
  readonly signal: AbortSignal | undefined;
  readonly steadySeconds: number;
  /** Told how much is copied. @throws to end it */
  readonly onStep: (bytesDone: number, bytesTotal: number) => void;
}

interface CopiedFile {
  write(bytes: Uint8Array, at: number): void;
}

export interface CopiedSize {
  readonly pageSize: number;
  readonly pageCount: number;
}

interface LockedCopyLimits {
  /** Fewer restarts than that are no reason to give up, however long they took. */
  readonly restarts: number;
  /** What is read under one lock at most, into memory. */
  readonly stepBytes: number;
  /** The same, where writes have undone the copy. */
  readonly laterStepBytes: number;
}

const LIMITS: LockedCopyLimits = {
  restarts: 20,
  stepBytes: 16 * 1024 * 1024,
  laterStepBytes: 64 * 1024 * 1024,
};
/** A database without pages has the size that SQLite gives new ones. */
const DEFAULT_PAGE_SIZE = 4_096;
const PAUSE_MS = 20;

/**
 * Copies a database in a rollback mode, byte for byte. SQLite writes to such a database only under a lock that is not compatible with
 * a reader's, and counts each transaction in page 1; so what is read under one read lock is whole, and slices read under several are of one moment
 * where the count is the same under each. A writer waits for one slice at most; one that comes between two has the copy begin anew.
 * @returns `null` where the database has gone over to WAL mode meanwhile
 * @throws `SNAPSHOT_UNSTEADY`, `NOT_A_DATABASE`, SQLite's and the file system's errors
 */
export async function copyBetweenLocks(
  options: LockedCopyOptions,
  target: CopiedFile,
  limits: LockedCopyLimits = LIMITS,
): Promise<CopiedSize | null> {
  const { path, database, fd, signal, steadySeconds, onStep } = options;
  const begun = performance.now();
  let advancedAt = begun;
  let restarts = 0;
  let pace: StepPace | undefined;
  let moment: Moment | undefined;
  let done = 0;
  let buffer = Buffer.alloc(0);

  for (;;) {
    signal?.throwIfAborted();
    if (performance.now() - advancedAt > steadySeconds * 1_000) throw unsteady(path, restarts);
    if (!lock(options)) {
      await pause(PAUSE_MS, signal);
      continue;
    }
    const lockedAt = performance.now();
    let count = 0;
    try {
      const found = momentOf(path, database, fd);
      if (found.wal) return null;
      if (moment === undefined || found.version.equals(moment.version)) {
        pace ??= new StepPace(found.pageSize);
        moment = found;
        const limitBytes = restarts === 0 ? limits.stepBytes : limits.laterStepBytes;
        count = countOf(pace, found, done, limitBytes);
        const bytes = count * found.pageSize;
        if (buffer.length < bytes) buffer = Buffer.allocUnsafeSlow(bytes);
        readPages(fd, found.pageSize, done + 1, buffer.subarray(0, bytes));
      } else {
        moment = undefined;
      }
    } finally {
      database.exec("ROLLBACK");
    }
    if (moment === undefined) {
      restarts += 1;
      if (restarts >= limits.restarts && performance.now() - begun > steadySeconds * 1_000)
        throw unsteady(path, restarts);
      done = 0;
      await pause((pace as StepPace).restarted(), signal);
      continue;
    }
    const { pageSize, pageCount } = moment;
    pace?.stepped(done + count, performance.now() - lockedAt, done === 0 && restarts > 0);
    onStep(done * pageSize, pageCount * pageSize);
    target.write(buffer.subarray(0, count * pageSize), done * pageSize);
    done += count;
    advancedAt = performance.now();
    if (done === pageCount) return { pageSize, pageCount };
    await turn();
  }
}

interface Moment extends CopiedSize {
  readonly wal: boolean;
  /** Another after each write. */
  readonly version: Buffer;
}

function momentOf(path: string, database: Database.Database, fd: number): Moment {
  const { size } = fstatSync(fd);
  const dataVersion = Buffer.from(`${size} ${database.pragma("data_version", { simple: true })}`);
  if (size === 0) return { pageSize: DEFAULT_PAGE_SIZE, pageCount: 0, wal: false, version: dataVersion };
  const start = Buffer.alloc(HEADER_BYTES);
  const header: DatabaseHeader | null = readDatabaseHeader(start.subarray(0, readFully(fd, start, 0)));
  if (header === null) throw badFirstPage(path);
  const { pageSize, wal } = header;
  const pageCount = header.pageCount ?? Math.ceil(size / pageSize);
  if (size < pageCount * pageSize) throw cutShort(path, size, { pageSize, pageCount });
  return { pageSize, pageCount, wal, version: Buffer.concat([header.version, dataVersion]) };
}

/** How many pages to read next. */
function countOf(pace: StepPace, { pageSize, pageCount }: CopiedSize, done: number, limitBytes: number): number {
  const left = pageCount - done;
  const count = Math.min(pace.next(left), limitBytes / pageSize);
  // The last page is no step of its own here.
  return count >= left - 1 ? left : count;
}

/** As `beginRead`; a transaction that a dead program has left is undone, which is `false` too. */
function lock({ database, Driver, path }: LockedCopyOptions): boolean {
  try {
    return beginRead(database);
  } catch (error) {
    if (!isLeftUnfinished(error)) throw error;
    tidyUp(Driver, path);
    return false;
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  // Whoever waits for it looks at the signal.
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
}

function unsteady(path: string, restarts: number): ReplicaError {
  return new ReplicaError(
    "SNAPSHOT_UNSTEADY",
    `Other programs write to ${path}, or lock it, so often that no copy of one moment could be made: it was begun ${restarts + 1} times`,
    {
      hint: "Run `PRAGMA journal_mode = WAL` on the database once: then readers and writers do not get in each other's way. Or try again when less is written.",
      retryable: true,
    },
  );
}
