import { ReplicaError } from "../../errors.js";
import type { DumpReader, DumpRequest } from "./dump-reader.js";
import type { SnapshotLimits } from "./take-snapshot.js";

export interface OpenLiveDumpOptions extends SnapshotLimits {
  /** Path of the database; it may be in use. */
  readonly database: string;
  /** A folder for a copy, where one is needed; made where there is none. The copy has a name of its own and is removed by `close()`. */
  readonly scratch: string;
  readonly request: DumpRequest;
}

/**
 * A dump of the database as it is now. In WAL mode it reads the database itself, which holds up its checkpoints until `close()`; else a copy, which is
 * taken first.
 * @throws what `takeSnapshot` and `openDump` throw
 */
export async function openLiveDump(_options: OpenLiveDumpOptions, signal?: AbortSignal): Promise<DumpReader> {
  signal?.throwIfAborted();
  throw new ReplicaError("WORKER_FAILED", "Not built yet");
}
