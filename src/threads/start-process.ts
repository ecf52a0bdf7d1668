import { fork } from "node:child_process";
import { ReplicaError } from "../errors.js";
import { CallLink } from "./call-link.js";
import type { AnswerMessage } from "./call-message.js";

/** A link and the way to end the process behind it. */
export interface ProcessLink {
  readonly link: CallLink;
  /** Fails the link with this error, and ends the process at once, whatever it is doing. Resolves when it has ended. */
  kill(error: ReplicaError): Promise<void>;
}

export interface ProcessOptions {
  /** Begins the message where the process ends: `The process that runs queries`. */
  readonly what: string;
  /** What follows where it has ended, a sentence. */
  readonly afterEnd: string;
  readonly onEvent?: (value: unknown) => void;
  readonly onEnd?: () => void;
}

/**
 * Starts a node process that answers calls. It is for what a thread cannot do: `terminate()` waits for the native call that the thread is in, and a
 * file that one thread closes loses the locks that the others hold on it.
 * @param args for the program; our own process id follows them.
 */
export function startProcess(entry: string, args: readonly string[], options: ProcessOptions): ProcessLink {
  const { what, afterEnd, onEvent = () => {}, onEnd = () => {} } = options;
  const child = fork(entry, [...args, String(process.pid)], {
    serialization: "advanced",
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const hold = (held: boolean): void => {
    if (held) {
      child.ref();
      child.channel?.ref();
    } else {
      child.unref();
      child.channel?.unref();
    }
  };
  const link = new CallLink({ post: (message) => void child.send(message, () => {}), hold }, onEvent);
  const ended = new Promise<void>((resolve) => {
    const end = (why: string, cause?: unknown): void => {
      link.fail(
        new ReplicaError("WORKER_FAILED", `${what} ended: ${why}`, {
          retryable: true,
          hint: afterEnd,
          cause,
        }),
      );
      onEnd();
      resolve();
    };
    child.on("message", (message) => link.receive(message as AnswerMessage));
    child.on("error", (error) => end(error.message, error));
    child.once("exit", (exitCode, signal) => end(signal ?? `exit code ${exitCode}`));
  });
  return {
    link,
    kill(error) {
      link.fail(error);
      hold(true);
      child.kill("SIGKILL");
      return ended;
    },
  };
}
