import { ReplicaError, toReplicaError } from "../../errors.js";
import { OpenedThread } from "../../threads/opened-thread.js";
import { findOwnProgram } from "../../threads/own-program.js";
import { startThread, type ThreadLink } from "../../threads/start-thread.js";
import type { EngineOptions, ProgressHandler, TableEngine, TableProgress } from "../copy/table-engine.js";
import { ENGINE_METHODS } from "./engine-methods.js";

const CANNOT_START = "The thread that copies tables cannot be started";

export interface WorkerEngineOptions {
  /** The file that the worker runs. Default: `#table-worker` of the package. */
  readonly entry?: string;
  /** How long an aborted call waits for the worker's own answer. Default 10 000. */
  readonly abortGraceMs?: number;
  /** How long `close` waits for the worker to end what is under way, before it is ended. Default 10 000. */
  readonly closeGraceMs?: number;
}

/**
 * A `TableEngine` that lives in a worker thread, started by the first call. When the thread dies, everything under way rejects with
 * `WORKER_FAILED` and the next call starts another, which is opened by itself. After `close`, which leaves no handle, calls reject with
 * `STOPPED`. Only while a call is under way does the thread keep the process alive.
 */
export function createWorkerEngine(
  options: EngineOptions,
  onProgress: ProgressHandler,
  { entry, abortGraceMs, closeGraceMs }: WorkerEngineOptions = {},
): TableEngine {
  const start = (): ThreadLink => {
    try {
      return startThread(entry ?? findOwnProgram("#table-worker", CANNOT_START), options, {
        what: "The thread that copies tables",
        afterEnd: "The next run starts another thread and goes on where the last batch ended",
        lessMemory: "tasks with very wide rows a smaller batchSize",
        onEvent: (value) => tell(onProgress, value as TableProgress),
        ...(abortGraceMs !== undefined && { abortGraceMs }),
      });
    } catch (error) {
      throw toReplicaError(error, "WORKER_FAILED", CANNOT_START);
    }
  };
  const stopped = () => new ReplicaError("STOPPED", "The table replication was stopped.");
  const thread = new OpenedThread({ start, stopped, ...(closeGraceMs !== undefined && { closeGraceMs }) });
  const methods = Object.keys(ENGINE_METHODS) as (keyof TableEngine)[];
  const engine: Record<string, unknown> = Object.fromEntries(
    methods.map((method) => [method, (...args: unknown[]) => thread.call(method, args)]),
  );
  engine.close = () => thread.close();
  return engine as unknown as TableEngine;
}

/** A handler that throws does no harm to the copy: what it throws becomes a process warning. */
function tell(onProgress: ProgressHandler, progress: TableProgress): void {
  try {
    onProgress(progress);
  } catch (thrown) {
    process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}
