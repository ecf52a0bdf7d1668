import { ReplicaError } from "../../errors.js";

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
  /** Told several times a second at most. */
  readonly onProgress?: (progress: { readonly bytesDone: number; readonly bytesTotal: number }) => void;
}

/**
 * Copies the database as it is at one moment. `target` appears whole and durable, or not at all; until then the copy is `<target>.part`, which is
 * removed where the copying fails, and replaced where a process that died left it.
 * @throws `LOCAL_DATABASE`, `DISK_LIMIT`, `SNAPSHOT_UNSTEADY`, `WORKER_FAILED`, `MISSING_DRIVER`, the signal's reason
 */
export async function takeSnapshot(
  _options: TakeSnapshotOptions,
  signal?: AbortSignal,
): Promise<{ readonly bytes: number }> {
  signal?.throwIfAborted();
  throw new ReplicaError("WORKER_FAILED", "Not built yet");
}
