import { ReplicaError } from "../../errors.js";
import { copyFile } from "../../sqlite/copy-file.js";
import { mapSourceError } from "../../sqlite/map-source-error.js";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";
import { isUnshared, type OpenedSource, openSource } from "../../sqlite/open-source.js";
import { copyBetweenWrites, type SteadyLimits } from "./copy-between-writes.js";
import { type CopyHandler, copyPages } from "./copy-pages.js";
import { type CopyLimits, CopyTarget } from "./copy-target.js";

/** Plain data: it crosses threads. */
export interface CopyOptions extends CopyLimits, SteadyLimits {
  readonly database: string;
  readonly target: string;
}

const PROGRESS_EVERY_MS = 250;

/**
 * Copies a database that may be in use; see `takeSnapshot`. Blocks its thread, but for moments.
 * @returns how many bytes the copy has
 */
export async function copyDatabase(
  options: CopyOptions,
  onProgress: (progress: { bytesDone: number; bytesTotal: number }) => void,
  signal: AbortSignal,
): Promise<number> {
  const { database: path } = options;
  const source = await openUnlessUnshared(path, signal);
  let target: CopyTarget | undefined;
  try {
    target = new CopyTarget(options.target, options);
    const copy = target;
    let toldAt = performance.now();
    const onStep: CopyHandler = (bytesDone, bytesTotal) => {
      signal.throwIfAborted();
      copy.reached(bytesDone, bytesTotal);
      if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
      toldAt = performance.now();
      onProgress({ bytesDone, bytesTotal });
    };
    await copyInto(copy, source, options, onStep);
    signal.throwIfAborted();
    return copy.publish();
  } catch (error) {
    throw mapCopyError(error, options);
  } finally {
    target?.close();
    if (!(source instanceof Error)) source.database.close();
  }
}

/** The error where SQLite cannot open a file that may still be one to copy as it is. */
async function openUnlessUnshared(path: string, signal: AbortSignal): Promise<OpenedSource | ReplicaError> {
  try {
    return await openSource(path, signal);
  } catch (error) {
    if (isUnshared(error)) return error;
    throw error;
  }
}

async function copyInto(
  target: CopyTarget,
  source: OpenedSource | ReplicaError,
  options: CopyOptions,
  onStep: CopyHandler,
): Promise<void> {
  if (source instanceof ReplicaError) {
    if (!(await copyFile(options.database, target, onStep))) throw source;
    return;
  }
  const { database, wal } = source;
  // The pages go through but once.
  database.pragma("cache_size = -1024");
  const pages = database.pragma("page_count", { simple: true }) as number;
  target.checkRoom(pages * (database.pragma("page_size", { simple: true }) as number));
  if (wal) return await copyPages(database, target, onStep);
  database.exec("COMMIT");
  await copyBetweenWrites(database, options.database, target, onStep, options);
}

function mapCopyError(error: unknown, { database, target }: CopyOptions): unknown {
  if (error instanceof ReplicaError || !(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "SQLITE_FULL" || error.code === "ENOSPC" || error.code === "EDQUOT") {
    return new ReplicaError("DISK_LIMIT", `The disk became full while ${database} was copied to ${target}`, {
      hint: "Free space on that disk, or keep exports on another (`dir`).",
      retryable: true,
      cause: error,
    });
  }
  if (isSqliteError(error)) return mapSourceError(error, database);
  return new ReplicaError("LOCAL_DATABASE", `${database} cannot be copied to ${target}: ${error.message}`, {
    hint: "Check that the folder of the copy exists, and that this user may write there.",
    retryable: true,
    cause: error,
  });
}
