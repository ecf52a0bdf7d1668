import { setImmediate as turn } from "node:timers/promises";
import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";
import type { CopyHandler } from "./copy-pages.js";
import type { CopyTarget } from "./copy-target.js";
import { StepPace } from "./step-pace.js";

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
  try {
    // A lock that is held just when it begins makes the driver's backup end at once, as if there were nothing to copy.
    do await backUp(source, path, target, onStep, limits);
    while (target.bytes === 0);
  } catch (error) {
    if (error !== AT_ONCE) throw error;
    await copyAtOnce(source, target, onStep);
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
  let pauseUntil = 0;
  let stepBegun = begun;

  await source.backup(target.path, {
    progress({ totalPages, remainingPages }) {
      const done = totalPages - remainingPages;
      const now = performance.now();
      if (pace.stepped(done, now - stepBegun)) advancedAt = now;
      onStep(done * pageBytes, totalPages * pageBytes);
      const found = dataVersion(source);
      if (version !== undefined && found !== undefined && found !== version) {
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
      const next = pace.next(remainingPages);
      if (next === 1) target.sync();
      stepBegun = performance.now();
      return next;
    },
  });
}

/** Reads all of it in one go and lets go of it; then writes. */
async function copyAtOnce(source: Database.Database, target: CopyTarget, onStep: CopyHandler): Promise<void> {
  target.empty();
  let bytes: Buffer | undefined;
  while (bytes === undefined) {
    onStep(0, 1);
    bytes = unlessBusy(() => {
      source.exec("BEGIN");
      try {
        source.pragma("schema_version");
        return source.serialize();
      } finally {
        source.exec("ROLLBACK");
      }
    });
    await turn();
  }
  target.checkRoom(bytes.length);
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
    target.write(bytes.subarray(at, at + WRITE_BYTES), at);
    onStep(Math.min(bytes.length, at + WRITE_BYTES), bytes.length);
    await turn();
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
