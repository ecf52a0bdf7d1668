import { ReplicaError, toReplicaError } from "../../errors.js";
import { OpenedThread } from "../../threads/opened-thread.js";
import { findOwnProgram } from "../../threads/own-program.js";
import { startThread } from "../../threads/start-thread.js";
import type { ExportJob } from "../export-job.js";
import { ENGINE_METHODS } from "./engine-methods.js";
import type { EngineOptions, ExportEngine } from "./export-engine.js";

const CANNOT_START = "The thread that runs export jobs cannot be started";

export interface WorkerExportEngineOptions {
  /** The file that the worker runs. Default: `#export-worker` of the package. */
  readonly entry?: string;
  /** How long `close` waits for the worker to stop in good order, before it is ended. Default 10 000. */
  readonly closeGraceMs?: number;
  /** How long after the thread died another goes on with its jobs. Default 1 000; twice as long after each death that comes soon. */
  readonly reopenAfterMs?: number;
}

/**
 * An `ExportEngine` in a worker thread, started by the first call. When the thread dies, calls under way reject with `WORKER_FAILED`, and another goes
 * on with the jobs by itself, or at once with the next call; downloads have to be begun again. After `close`, which leaves no handle, calls reject with
 * `STOPPED`. Only while a call is under way does the thread keep the process alive: jobs do not.
 */
export function createWorkerExportEngine(
  options: EngineOptions,
  onJob: (job: ExportJob) => void,
  { entry, closeGraceMs, reopenAfterMs = 1_000 }: WorkerExportEngineOptions = {},
): ExportEngine {
  const thread = new OpenedThread({
    start: () => {
      try {
        return startThread(entry ?? findOwnProgram("#export-worker", CANNOT_START), options, {
          what: "The thread that runs export jobs",
          afterEnd: "Another thread goes on where the last parts ended",
          lessMemory: "run fewer jobs at once (`concurrency`)",
          onEvent: (value) => tell(onJob, value as ExportJob),
        });
      } catch (error) {
        throw toReplicaError(error, "WORKER_FAILED", CANNOT_START);
      }
    },
    stopped: () => new ReplicaError("STOPPED", "The exports were stopped."),
    reopenAfterMs,
    ...(closeGraceMs !== undefined && { closeGraceMs }),
  });
  const methods = Object.keys(ENGINE_METHODS) as (keyof ExportEngine)[];
  const engine: Record<string, unknown> = Object.fromEntries(
    methods.map((method) => [method, (...args: unknown[]) => thread.call(method, args)]),
  );
  engine.close = () => thread.close();
  return engine as unknown as ExportEngine;
}

/** A handler that throws does no harm to the jobs: what it throws becomes a process warning. */
function tell(onJob: (job: ExportJob) => void, job: ExportJob): void {
  try {
    onJob(job);
  } catch (thrown) {
    process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}
