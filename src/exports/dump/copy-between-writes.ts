import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";
import { StepPace } from "../../sqlite/step-pace.js";
import type { CopyHandler } from "./copy-pages.js";
import type { CopyTarget } from "./copy-target.js";

/** When a copy that writes keep undoing is given up: not before both. */
export interface SteadyLimits {
  readonly restarts: number;
  readonly seconds: number;
}

/** What is copied through memory at most. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;
const WRITE_BYTES = 4 * 1024 * 1024;
/** The thread hears of an abort between two. */
const PAUSE_MS = 20;

/** Ends a backup to copy through memory. */
const AT_ONCE = Symbol("at once");

/**
 * Copies a database whose writers cannot go on while it is read: in short steps. A write between two of them has SQLite begin anew, and then the
 * steps grow to what a writer can wait for; a file that fits into such a step is read into memory in one.
 * @throws `SNAPSHOT_UNSTEADY`
 */
export async function copyBetweenWrites(
  source: Database.Database,
  path: string,
  target: CopyTarget,
  onStep: CopyHandler,
  limits: SteadyLimits,
): Promise<void> {
  const until = performance.now() + limits.seconds * 1_000;
  try {
    // A lock that is held just when it begins makes the driver's backup end at once, as if there were nothing to copy.
    for (let tries = 1; ; tries += 1) {
      await backUp(source, path, target, onStep, limits);
      if (target.bytes > 0) break;
      onStep(0, 0);
      if (performance.now() > until) throw unsteady(path, tries);
      await delay(PAUSE_MS);
    }
  } catch (error) {
    if (error !== AT_ONCE) throw error;
    await copyAtOnce(source, path, target, onStep, limits);
  }
}

async function backUp(
  source: Database.Database,
  path: string,
  target: CopyTarget,
  onStep: CopyHandler,
  limits: SteadyLimits,
): Promise<void> {
  const pageBytes = source.pragma("page_size", { simple: true }) as number;
  const pace = new StepPace(pageBytes);
  const begun = performance.now();
  let advancedAt = begun;
  let version = dataVersion(source);
  let restarts = 0;
  let isCopied = false;
  let pauseUntil = 0;
  let stepBegun = begun;

  await source.backup(target.path, {
    progress({ totalPages, remainingPages }) {
      const done = totalPages - remainingPages;
      const now = performance.now();
      const found = dataVersion(source);
      const isWritten = found !== undefined && version !== undefined && found !== version;
      if (pace.stepped(done, now - stepBegun, isWritten)) {
        advancedAt = now;
        isCopied = true;
      }
      onStep(done * pageBytes, totalPages * pageBytes);
      // What is written while nothing is copied undoes nothing.
      if (isWritten && isCopied) {
        isCopied = false;
        restarts += 1;
        if (restarts >= limits.restarts && now - begun > limits.seconds * 1_000) throw unsteady(path, restarts);
        if (totalPages * pageBytes <= MAX_MEMORY_BYTES && pace.fitsOneStep(totalPages)) throw AT_ONCE;
        pauseUntil = now + pace.restarted();
      }
      version = found ?? version;
      if (now - advancedAt > limits.seconds * 1_000) throw unsteady(path, restarts);
      if (found === undefined || now < pauseUntil) {
        pause(Math.min(PAUSE_MS, Math.max(1, pauseUntil - now)));
        return 0;
      }
      if (remainingPages <= 1) target.sync();
      const next = pace.next(remainingPages);
      stepBegun = performance.now();
      return next;
    },
  });
}

/** Reads all of it in one go and lets go of it; then writes. */
async function copyAtOnce(
  source: Database.Database,
  path: string,
  target: CopyTarget,
  onStep: CopyHandler,
  limits: SteadyLimits,
): Promise<void> {
  target.empty();
  const until = performance.now() + limits.seconds * 1_000;
  let bytes: Buffer | undefined;
  for (;;) {
    onStep(0, MAX_MEMORY_BYTES);
    bytes = unlessBusy(() => serialized(source));
    if (bytes !== undefined) break;
    if (performance.now() > until) throw unsteady(path, 1);
    await turn();
  }
  target.checkRoom(bytes.length);
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
    target.write(bytes.subarray(at, at + WRITE_BYTES), at);
    onStep(Math.min(bytes.length, at + WRITE_BYTES), bytes.length);
    await turn();
  }
}

function serialized(source: Database.Database): Buffer {
  source.exec("BEGIN");
  try {
    // Takes the lock, or says that it is taken; the driver would call that a lack of memory.
    source.pragma("schema_version");
    return source.serialize();
  } finally {
    source.exec("ROLLBACK");
  }
}

/** Is another number after each commit of another connection; `undefined` where a lock keeps it from being read. */
function dataVersion(source: Database.Database): unknown {
  return unlessBusy(() => source.pragma("data_version", { simple: true }));
}

function unlessBusy<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSqliteError(error) && error.code.startsWith("SQLITE_BUSY")) return undefined;
    throw error;
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function unsteady(path: string, restarts: number): ReplicaError {
  return new ReplicaError(
    "SNAPSHOT_UNSTEADY",
    `Other programs write to ${path} so often that no copy of one moment could be made: it was begun ${restarts + 1} times`,
    {
      hint: "Run `PRAGMA journal_mode = WAL` on the database once: then exports and writers do not get in each other's way. Or export when less is written.",
      retryable: true,
    },
  );
}
