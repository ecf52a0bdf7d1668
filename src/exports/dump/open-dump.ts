import { ReplicaError } from "../../errors.js";
import type { DumpReader, DumpRequest } from "./dump-reader.js";

export interface OpenDumpOptions {
  /** Path of the database file. */
  readonly file: string;
  /** `snapshot`: nobody writes the file. `live`: it is in use, in WAL mode; one read transaction stands on it for as long as the dump is open. */
  readonly kind: "snapshot" | "live";
  readonly request: DumpRequest;
}

/**
 * Opens a dump in a thread of its own, which keeps no process from ending while nobody reads.
 * @throws `LOCAL_DATABASE`, `TABLE_MISSING`, `INVALID_CONFIGURATION`, `WORKER_FAILED`, `MISSING_DRIVER`, the signal's reason
 */
export async function openDump(_options: OpenDumpOptions, signal?: AbortSignal): Promise<DumpReader> {
  signal?.throwIfAborted();
  throw new ReplicaError("WORKER_FAILED", "Not built yet");
}
