import { fork } from "node:child_process";
import { ReplicaError } from "../../errors.js";
import { CallLink } from "../../threads/call-link.js";
import type { AnswerMessage } from "../../threads/call-message.js";

/** A link and the way to end the process behind it. */
export interface ProcessLink {
  readonly link: CallLink;
  /** Fails the link with this error, and ends the process at once, whatever it is doing. Resolves when it has ended. */
  kill(error: ReplicaError): Promise<void>;
}

/**
 * Starts a node process that answers calls. A thread would not do: `terminate()` waits for the native call that the thread is in, and a
 * query may be inside SQLite for ever.
 * @param args for the program; our own process id follows them.
 */
export function startProcess(
  entry: string,
  args: readonly string[],
  onEvent: (value: unknown) => void,
  onEnd: () => void,
): ProcessLink {
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
        new ReplicaError("WORKER_FAILED", `The process that runs queries ended: ${why}`, {
          retryable: true,
          hint: "The next query starts another; where the system was short of memory, ask for fewer rows.",
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
