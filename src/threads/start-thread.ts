import { type ResourceLimits, Worker } from "node:worker_threads";
import { ReplicaError } from "../errors.js";
import { CallLink } from "./call-link.js";
import type { AnswerMessage } from "./call-message.js";

/** A link and the way to end the thread behind it. */
export interface ThreadLink {
  readonly link: CallLink;
  /** Resolves when the thread has ended, for any reason. */
  readonly ended: Promise<void>;
  /** Ends the thread. One that is inside a native call ends when that returns. */
  terminate(): void;
}

export interface ThreadOptions {
  /** Begins the message where the thread ends: `The thread that copies tables`. */
  readonly what: string;
  /** What follows where it has ended. */
  readonly afterEnd: string;
  /** What needs less memory, where that is what it ended of. */
  readonly lessMemory: string;
  readonly onEvent?: (value: unknown) => void;
  readonly abortGraceMs?: number;
  /** Of the thread's own memory. Default: Node's. */
  readonly resourceLimits?: ResourceLimits;
}

/** Starts a worker thread that answers calls. Its end, whatever it came from, fails the link with `WORKER_FAILED`. */
export function startThread(entry: string, data: unknown, options: ThreadOptions): ThreadLink {
  const { resourceLimits } = options;
  const worker = new Worker(entry, {
    workerData: data,
    ...threadArguments(),
    ...(resourceLimits !== undefined && { resourceLimits }),
  });
  const link = new CallLink(
    {
      post: (message) => worker.postMessage(message),
      hold: (held) => (held ? worker.ref() : worker.unref()),
    },
    options.onEvent,
    options.abortGraceMs,
  );
  let cause: unknown;
  worker.on("message", (message: AnswerMessage) => link.receive(message));
  worker.on("messageerror", (error) => {
    cause ??= error;
    void worker.terminate();
  });
  worker.on("error", (error) => {
    cause ??= error;
  });
  const ended = new Promise<void>((resolve) => {
    worker.once("exit", (exitCode) => {
      link.fail(threadEnded(cause, exitCode, options));
      resolve();
    });
  });
  return { link, ended, terminate: () => void worker.terminate() };
}

function threadEnded(
  cause: unknown,
  exitCode: number,
  { what, afterEnd, lessMemory }: Pick<ThreadOptions, "what" | "afterEnd" | "lessMemory">,
): ReplicaError {
  const outOfMemory = cause instanceof Error && "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY";
  const why = cause === undefined ? `exit code ${exitCode}` : cause instanceof Error ? cause.message : String(cause);
  return new ReplicaError("WORKER_FAILED", `${what} ended: ${why}`, {
    retryable: true,
    hint: outOfMemory
      ? `Give node more memory (--max-old-space-size), or ${lessMemory}.`
      : `${afterEnd}; if it happens again, report it with the cause.`,
    cause,
  });
}

/** Node refuses `--input-type`, which a thread would inherit, where the program is a file. */
function threadArguments(): { execArgv?: string[] } {
  return process.execArgv.some((argument) => argument.startsWith("--input-type")) ? { execArgv: [] } : {};
}
