import { type BigIntStats, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { loadDriver } from "../../drivers/load-driver.js";
import { sniffTarget } from "./sniff-target.js";
import { isDamage, mapTargetError } from "./target-error.js";

/** Sees whether a local file is written to. It holds nothing open. */
export interface TargetWatch {
  /** `foreign`: it is there, and SQLite cannot read it: no database, encrypted, cut short. An empty file is a database without pages. */
  readonly kind: "missing" | "database" | "foreign";
  /** Whether anybody wrote to the file, or to its write-ahead log, since the watch began. */
  changed(): boolean;
}

/** Times of files move in steps of at most so long, so that a later write is sure to show: where whole seconds are kept, of two (FAT). */
const CLOCK_STEP_MS = 20;
const COARSE_STEP_MS = 2_000;
const LOCK_PATIENCE_MS = 5_000;

/**
 * To begin before the file is read, so that no commit falls between. A transaction that a program which died has left half written is rolled back first.
 * @param path as `resolveTarget` gives it
 * @throws `LOCAL_DATABASE`, `MISSING_DRIVER`
 */
export async function watchTarget(path: string): Promise<TargetWatch> {
  const kind = await recover(path);
  // A file that is written all the time shows it anyway.
  for (let looks = 0; looks < 5; looks++) {
    const wait = untilClockMoves(path);
    if (wait <= 0) break;
    await delay(wait);
  }
  const before = momentOf(path);
  return { kind, changed: () => momentOf(path) !== before };
}

async function recover(path: string): Promise<TargetWatch["kind"]> {
  const sniffed = sniffTarget(path);
  if (sniffed === "missing") return "missing";
  const Driver = await loadDriver("better-sqlite3");
  let database: InstanceType<typeof Driver> | undefined;
  try {
    database = new Driver(path, { fileMustExist: true, timeout: LOCK_PATIENCE_MS });
    database.pragma("schema_version");
    return "database";
  } catch (error) {
    if (isDamage(error)) return "foreign";
    throw mapTargetError(error, `The local database ${path} cannot be opened`);
  } finally {
    database?.close();
  }
}

/** What every write changes, one that sets the file's time back (`cp -p`) too. A log without bytes says the same as none: whoever opens the database makes it. */
export function momentOf(path: string): string {
  const [file, log] = [path, `${path}-wal`].map((one) => statSync(one, { bigint: true, throwIfNoEntry: false }));
  // Not the log's: SQLite sets its owner whenever root opens the database.
  return [describe(file), file?.size ? file.ctimeNs : "", describe(log)].join();
}

function describe(stats: BigIntStats | undefined): string {
  return !stats?.size ? "-" : [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(":");
}

/** How long a write would still get the same time as the last one. A time that is to come is another clock's. */
function untilClockMoves(path: string): number {
  const waits = [path, `${path}-wal`].map((file) => {
    const { mtimeMs = 0 } = statSync(file, { throwIfNoEntry: false }) ?? {};
    const step = mtimeMs % 1_000 === 0 ? COARSE_STEP_MS : CLOCK_STEP_MS;
    return Math.min(step, mtimeMs + step - Date.now());
  });
  return Math.max(...waits);
}
