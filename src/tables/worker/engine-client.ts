import { ReplicaError, toReplicaError } from "../../errors.js";
import { beforeAbort } from "../../threads/before-abort.js";
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

/** A worker and the `open()` that comes before anything else in it. */
interface OpenedThread extends ThreadLink {
  opened: Promise<unknown> | undefined;
}

/**
 * A `TableEngine` that lives in a worker thread, started by the first call. When the thread dies, everything under way rejects with
 * `WORKER_FAILED` and the next call starts another, which is opened by itself. After `close`, which leaves no handle, calls reject with
 * `STOPPED`. Only while a call is under way does the thread keep the process alive.
 */
export function createWorkerEngine(
  options: EngineOptions,
  onProgress: ProgressHandler,
  { entry, abortGraceMs, closeGraceMs = 10_000 }: WorkerEngineOptions = {},
): TableEngine {
  let current: OpenedThread | undefined;
  let closing: Promise<void> | undefined;

  const startOne = (): ThreadLink => {
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

  const thread = (): OpenedThread => {
    if (current !== undefined) return current;
    const started: OpenedThread = { ...startOne(), opened: undefined };
    current = started;
    void started.ended.then(() => {
      if (current === started) current = undefined;
    });
    return started;
  };

  const open = (on: OpenedThread): Promise<unknown> => {
    const opened = on.link.call("open", []);
    on.opened = opened;
    opened.catch(() => {
      if (on.opened === opened) on.opened = undefined;
    });
    return opened;
  };

  const call = async (method: keyof TableEngine, args: readonly unknown[]): Promise<unknown> => {
    if (closing !== undefined) throw stopped();
    const on = thread();
    if (method === "open") return open(on);
    const last = args.at(-1);
    const signal = last instanceof AbortSignal ? last : undefined;
    await beforeAbort(on.opened ?? open(on), signal);
    if (closing !== undefined) throw stopped();
    return on.link.call(method, signal === undefined ? args : args.slice(0, -1), signal);
  };

  const close = async (): Promise<void> => {
    const on = current;
    if (on === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeGraceMs);
    });
    try {
      await Promise.race([on.link.call("close", []), late]);
    } catch (error) {
      // A thread that has died is closed too.
      if (on.link.failure === undefined) throw error;
    } finally {
      clearTimeout(timer);
      on.link.fail(stopped());
      on.terminate();
      // A thread inside a long native call ends when that returns; nobody waits for it.
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, 1_000);
      });
      await Promise.race([on.ended, patience]);
      clearTimeout(timer);
    }
  };

  const methods = Object.keys(ENGINE_METHODS) as (keyof TableEngine)[];
  const engine: Record<string, unknown> = Object.fromEntries(
    methods.map((method) => [method, (...args: unknown[]) => call(method, args)]),
  );
  engine.close = () => {
    closing ??= close();
    return closing;
  };
  return engine as unknown as TableEngine;
}

function stopped(): ReplicaError {
  return new ReplicaError("STOPPED", "The table replication was stopped.");
}

/** A handler that throws does no harm to the copy: what it throws becomes a process warning. */
function tell(onProgress: ProgressHandler, progress: TableProgress): void {
  try {
    onProgress(progress);
  } catch (thrown) {
    process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}
