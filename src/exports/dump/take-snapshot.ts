import { beforeAbort } from "../../threads/before-abort.js";
import { removeUnfinished } from "./copy-target.js";
import { type DumpThreadOptions, endDumpThread, startDumpThread } from "./dump-thread.js";

/** What a copy of the database may take. */
export interface SnapshotLimits {
  /** Of the copy, in bytes. Default: no limit. */
  readonly maxBytes?: number;
  /** What stays free on the disk of the copy, in bytes. Default 0. */
  readonly minFreeBytes?: number;
}

export interface TakeSnapshotOptions extends SnapshotLimits {
  /** Path of the database; it may be in use. */
  readonly database: string;
  /** Path of the copy, whose folder exists. A file that is there is replaced. */
  readonly target: string;
  /**
   * How long a copy is tried that writes keep undoing, which they only do where the database is not in WAL mode, in seconds. Default 30.
   */
  readonly steadySeconds?: number;
  /** Told several times a second at most. */
  readonly onProgress?: (progress: { readonly bytesDone: number; readonly bytesTotal: number }) => void;
}

/** Fewer restarts than that are no reason to give up, however long they took. */
const MIN_RESTARTS = 20;

/**
 * Copies the database as it is at one moment. `target` appears whole and durable, or not at all; until then the copy is `<target>.part`, which is
 * removed where the copying fails, and replaced where a process that died left it. The copy is never in WAL mode, and only its user may read it.
 * @throws `LOCAL_DATABASE`, `DISK_LIMIT`, `SNAPSHOT_UNSTEADY`, `WORKER_FAILED`, `MISSING_DRIVER`, the signal's reason
 */
export async function takeSnapshot(
  { database, target, maxBytes, minFreeBytes = 0, steadySeconds = 30, onProgress }: TakeSnapshotOptions,
  signal?: AbortSignal,
  options: DumpThreadOptions = {},
): Promise<{ readonly bytes: number }> {
  signal?.throwIfAborted();
  const thread = startDumpThread({
    ...options,
    ...(onProgress !== undefined && { onEvent: onProgress as (value: unknown) => void }),
  });
  const copyOptions = {
    database,
    target,
    maxBytes: maxBytes ?? Number.MAX_SAFE_INTEGER,
    minFreeBytes,
    restarts: MIN_RESTARTS,
    seconds: steadySeconds,
  };
  const copying = thread.link.call("copy", [copyOptions], signal ?? new AbortController().signal);
  let isDone = false;
  try {
    const bytes = (await beforeAbort(copying, signal)) as number;
    isDone = true;
    return { bytes };
  } finally {
    await endDumpThread(thread);
    // By this thread: the other may have died in the middle of it.
    if (!isDone) removeUnfinished(target);
  }
}
