import { closeSync, existsSync, fstatSync, openSync, realpathSync, statSync } from "node:fs";
import type Database from "better-sqlite3";
import { loadDriver } from "../../drivers/load-driver.js";
import { ReplicaError } from "../../errors.js";
import { copyFile } from "../../sqlite/copy-file.js";
import { isUnshared, type OpenedSource, openSource } from "../../sqlite/open-source.js";
import { CopiedSource, mapCopyError } from "./copied-source.js";
import { copyBetweenLocks, type LockedCopyOptions } from "./copy-between-locks.js";
import { HEADER_BYTES, readDatabaseHeader } from "./database-header.js";
import { badFirstPage, cutShort } from "./not-a-database.js";
import { openWalSource } from "./open-wal-source.js";
import type { PageSource } from "./page-source.js";
import { readFully } from "./read-pages.js";
import { checkIsFile, mapPageSourceError } from "./source-error.js";
import { isLeftUnfinished, tidyUp } from "./tidy-up.js";

export interface OpenPageSourceOptions {
  /** An existing folder, for the copy that is made of a database that is not in WAL mode; `close()` removes it. */
  readonly workDir: string;
  readonly signal?: AbortSignal;
  /** Told several times a second at most, while a copy is made. */
  readonly onProgress?: (progress: { readonly bytesDone: number; readonly bytesTotal: number }) => void;
  /** How long it is tried to find a moment, or to make a copy, which writes or locks keep undoing, in seconds. Default 30. */
  readonly steadySeconds?: number;
  /** How long a lock is waited for that keeps the file from being opened, in seconds. Default 5. */
  readonly lockSeconds?: number;
}

const PROGRESS_EVERY_MS = 250;
const STEADY_SECONDS = 30;

/**
 * One consistent moment of a SQLite file that may be in use, byte for byte as SQLite sees it; symbolic links are followed. In WAL mode nothing is copied and
 * nobody held up, but the log grows until `close()`. Else a copy is made first, while writers wait for a moment now and then; a transaction
 * that a dead program has left is rolled back.
 *
 * Only for a process that does nothing else with the file: closing it lets go of all locks that the process has on it, on whatever connection
 * (https://sqlite.org/howtocorrupt.html, 2.2). Blocks its thread, but for moments in which an abort is heard.
 * @throws `NOT_A_DATABASE`, `LOCAL_DATABASE`, `SNAPSHOT_UNSTEADY`, `DISK_LIMIT`, `MISSING_DRIVER`, the signal's reason
 */
export async function openPageSource(path: string, options: OpenPageSourceOptions): Promise<PageSource> {
  const Driver = await loadDriver("better-sqlite3");
  for (;;) {
    options.signal?.throwIfAborted();
    checkIsFile(path);
    try {
      const source = await openOnce(Driver, path, options);
      if (source !== null) return source;
    } catch (error) {
      throw mapCopyError(mapPageSourceError(error, path), path, options.workDir);
    }
  }
}

/** @returns `null` where the file is another by now, or in another journal mode */
async function openOnce(
  Driver: typeof Database,
  path: string,
  options: OpenPageSourceOptions,
): Promise<PageSource | null> {
  const before = statSync(path, { throwIfNoEntry: false });
  const hadLog = before !== undefined && existsSync(`${realpathSync(path)}-wal`);
  const opened = await openUnlessUnshared(Driver, path, options);
  if (opened instanceof ReplicaError) return await copyUnopened(path, opened, options);
  const { database, wal } = opened;
  let fd: number | undefined;
  const close = (): void => {
    // The connection first: closing the file lets go of its locks.
    database.close();
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  let isHandedOver = false;
  try {
    database.exec("ROLLBACK");
    fd = openSync(path, "r");
    const { dev, ino } = fstatSync(fd);
    if (before?.dev !== dev || before.ino !== ino) return null;
    if (!wal) return await copyLocked({ path, database, Driver, fd }, options);
    isHandedOver = true;
    return await openWalSource({
      path,
      realPath: realpathSync(path),
      database,
      fd,
      signal: options.signal,
      steadySeconds: options.steadySeconds ?? STEADY_SECONDS,
      closeDatabase: close,
      onClosed: () => hadLog || tidyUpQuietly(Driver, path),
    });
  } finally {
    if (!isHandedOver) close();
  }
}

/** The error where SQLite cannot open a file that may still be one to copy as it is. */
async function openUnlessUnshared(
  Driver: typeof Database,
  path: string,
  { signal, lockSeconds = 5 }: OpenPageSourceOptions,
): Promise<OpenedSource | ReplicaError> {
  const open = (): Promise<OpenedSource> =>
    openSource(path, signal ?? new AbortController().signal, lockSeconds * 1_000);
  try {
    return await open();
  } catch (error) {
    if (isUnshared(error)) return error;
    if (!(error instanceof ReplicaError) || !isLeftUnfinished(error.cause)) throw error;
  }
  tidyUp(Driver, path);
  return await open();
}

async function copyLocked(
  source: Omit<LockedCopyOptions, "signal" | "steadySeconds" | "onStep">,
  options: OpenPageSourceOptions,
): Promise<PageSource | null> {
  const copy = new CopiedSource(options.workDir);
  try {
    const { signal, steadySeconds = STEADY_SECONDS } = options;
    const size = await copyBetweenLocks({ ...source, signal, steadySeconds, onStep: stepsOf(copy, options) }, copy);
    if (size !== null) return copy.finish(size);
  } catch (error) {
    copy.remove();
    throw error;
  }
  copy.remove();
  return null;
}

/** Of a database in WAL mode that nobody has open, in a folder where nobody may write: SQLite itself cannot read it. */
async function copyUnopened(path: string, error: ReplicaError, options: OpenPageSourceOptions): Promise<PageSource> {
  const copy = new CopiedSource(options.workDir);
  try {
    const onStep = stepsOf(copy, options);
    const isCopied = await copyFile(path, copy, (bytesDone, bytesTotal) => {
      options.signal?.throwIfAborted();
      onStep(bytesDone, bytesTotal);
    });
    if (!isCopied) throw error;
    const start = Buffer.alloc(HEADER_BYTES);
    const header = readDatabaseHeader(start.subarray(0, readFully(copy.fd, start, 0)));
    if (header === null) throw badFirstPage(path);
    const { size } = fstatSync(copy.fd);
    const { pageSize } = header;
    const pageCount = header.pageCount ?? Math.ceil(size / pageSize);
    if (size < pageCount * pageSize) throw cutShort(path, size, { pageSize, pageCount });
    return copy.finish({ pageSize, pageCount });
  } catch (thrown) {
    copy.remove();
    throw thrown;
  }
}

function stepsOf(
  copy: CopiedSource,
  { onProgress }: OpenPageSourceOptions,
): (bytesDone: number, bytesTotal: number) => void {
  let toldAt = performance.now();
  return (bytesDone, bytesTotal) => {
    copy.checkRoom(bytesTotal - bytesDone);
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    onProgress?.({ bytesDone, bytesTotal });
  };
}

/** Readers make `-wal` and `-shm`, and leave them. */
function tidyUpQuietly(Driver: typeof Database, path: string): void {
  try {
    tidyUp(Driver, path);
  } catch {
    // They do no harm.
  }
}
