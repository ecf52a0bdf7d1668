import { ReplicaError, toReplicaError } from "../../errors.js";
import { findOwnProgram } from "../../threads/own-program.js";
import { startThread, type ThreadLink } from "../../threads/start-thread.js";

const CANNOT_START = "The thread that exports cannot be started";
/** How long it may take to close its files in good order. */
const CLOSE_GRACE_MS = 500;
/** A thread inside a long native call ends when that returns; nobody waits for it. */
const END_PATIENCE_MS = 2_000;

/** Which program the thread runs. */
export interface DumpThreadOptions {
  /** Default: `#dump-worker` of the package. */
  readonly entry?: string;
  readonly onEvent?: (value: unknown) => void;
}

/** @throws `WORKER_FAILED` */
export function startDumpThread({ entry, onEvent }: DumpThreadOptions = {}): ThreadLink {
  try {
    return startThread(entry ?? findOwnProgram("#dump-worker", CANNOT_START), undefined, {
      what: "The thread that exports",
      afterEnd: "A job goes on from its last part; anything else has to be asked for again",
      lessMemory: "export tables with very large values alone",
      abortGraceMs: CLOSE_GRACE_MS,
      // V8 frees buffers when it collects what is young: the sooner, the less room there is for that.
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
      ...(onEvent !== undefined && { onEvent }),
    });
  } catch (error) {
    throw toReplicaError(error, "WORKER_FAILED", CANNOT_START);
  }
}

/** Has the thread close what it has open, and ends it. Calls from now on reject with `STOPPED`. Never rejects. */
export async function endDumpThread({ link, ended, terminate }: ThreadLink): Promise<void> {
  const closed = link.call("close", []).catch(() => {});
  await within(Promise.race([closed, ended]), CLOSE_GRACE_MS);
  link.fail(new ReplicaError("STOPPED", "The dump was closed."));
  terminate();
  await within(ended, END_PATIENCE_MS);
}

async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
