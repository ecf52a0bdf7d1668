import { ReplicaError } from "../../errors.js";
import { connectDump } from "./connect-dump.js";
import type { DumpReader, DumpRequest } from "./dump-reader.js";
import type { DumpThreadOptions } from "./dump-thread.js";

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
export async function openDump(
  options: OpenDumpOptions,
  signal?: AbortSignal,
  thread: DumpThreadOptions = {},
): Promise<DumpReader> {
  const reader = await connectDump(options, signal, thread);
  if (reader !== null) return reader;
  throw new ReplicaError(
    "LOCAL_DATABASE",
    `The database ${options.file} is not in WAL mode: a dump of it while it is in use would hold up its writers`,
    { hint: "Run `PRAGMA journal_mode = WAL` on it once, or dump a copy of it." },
  );
}
