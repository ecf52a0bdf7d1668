import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ReplicaError } from "../../errors.js";
import { connectDump } from "./connect-dump.js";
import type { DumpReader, DumpRequest } from "./dump-reader.js";
import type { DumpThreadOptions } from "./dump-thread.js";
import { openDump } from "./open-dump.js";
import { type SnapshotLimits, takeSnapshot } from "./take-snapshot.js";

export interface OpenLiveDumpOptions {
  /** Path of the database; it may be in use. */
  readonly database: string;
  /** A folder for a copy, where one is needed; made where there is none. The copy has a name of its own and is removed by `close()`. */
  readonly scratch: string;
  readonly request: DumpRequest;
  /** Asked where a copy is needed. Default: no limit. */
  readonly limits?: () => Promise<SnapshotLimits>;
}

/**
 * A dump of the database as it is now. In WAL mode it reads the database itself, which holds up its checkpoints until `close()`; else a copy, which is
 * taken first.
 * @throws what `takeSnapshot` and `openDump` throw
 */
export async function openLiveDump(
  { database, scratch, request, limits = async () => ({}) }: OpenLiveDumpOptions,
  signal?: AbortSignal,
  thread: DumpThreadOptions = {},
): Promise<DumpReader> {
  const live = await connectDump({ file: database, kind: "live", request }, signal, thread);
  if (live !== null) return live;
  const file = join(scratch, `stream-${randomUUID()}.db`);
  await makeFolder(scratch);
  try {
    await takeSnapshot({ ...(await limits()), database, target: file }, signal, thread);
    const reader = await openDump({ file, kind: "snapshot", request }, signal, thread);
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      await reader.close();
      await rm(file, { force: true });
    };
    return {
      fingerprint: reader.fingerprint,
      tables: reader.tables,
      read: (from, readSignal) => reader.read(from, readSignal),
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ReplicaError("LOCAL_DATABASE", `The folder ${path} cannot be made: ${(error as Error).message}`, {
      hint: "Give as `dir` a folder that this user may make and write to.",
      retryable: true,
      cause: error,
    });
  }
}
