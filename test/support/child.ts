import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { atEnd } from "./at-end.js";
import { realDelay } from "./real-time.js";

interface SpawnOptions {
  /** Added to our environment; `undefined` removes a variable. What vitest set is removed anyway. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Options for node itself, such as `--expose-gc`. */
  readonly nodeArgs?: readonly string[];
}

/** How a process ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running node process. It is killed when the test ends, if it has not ended by then. */
export interface Child {
  readonly pid: number;
  /** Complete lines of stdout so far. */
  readonly lines: readonly string[];
  /** Everything on stderr so far. */
  readonly stderr: string;
  /** Resolves when the process has ended and all its output is read. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /**
   * Resolves with the first matching line of stdout after the one that the last call found, printed already or not. Rejects when the
   * process ends without it, or after `timeoutMs` (default 10 000), with the output so far.
   */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  /** Writes a line to its stdin. */
  writeLine(line: string): void;
  /** Closes its stdin. */
  endInput(): void;
  /** Sends a signal (default SIGKILL) and resolves when the process has ended. */
  kill(signal?: NodeJS.Signals): Promise<ChildExit>;
  /** Sends a signal that is not meant to end it, such as SIGSTOP or SIGCONT. */
  signal(signal: NodeJS.Signals): void;
}

/** Runs a file with node, as a process of its own. For TypeScript see `buildOnce`. */
export function spawnNode(file: string, args: readonly string[] = [], options: SpawnOptions = {}): Child {
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), file, ...args], {
    cwd: options.cwd,
    env: childEnvironment(options.env),
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines: string[] = [];
  let stderr = "";
  let cursor = 0;
  let spawnError: Error | undefined;
  const wakeUp: (() => void)[] = [];
  const wake = () => {
    for (const resume of wakeUp.splice(0)) resume();
  };

  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // It may end before it has read what was written.
  child.stdin.on("error", () => {});
  child.on("error", (error) => {
    spawnError = error;
  });
  let exit: ChildExit | undefined;
  const exited = new Promise<ChildExit>((resolve) => {
    child.once("close", (code, signal) => {
      exit = { code, signal };
      wake();
      resolve(exit);
    });
  });

  const tell = (what: string) =>
    new Error(
      `${what}\n--- stdout ---\n${lines.slice(-50).join("\n")}\n--- stderr ---\n${stderr.slice(-4_000)}`,
      spawnError && { cause: spawnError },
    );

  const result: Child = {
    pid: child.pid ?? -1,
    lines,
    get stderr() {
      return stderr;
    },
    exited,
    async waitForLine(pattern, timeoutMs = 10_000) {
      const deadline = new AbortController();
      const late = realDelay(timeoutMs, deadline.signal).then(() => true);
      try {
        for (;;) {
          for (; cursor < lines.length; cursor += 1) {
            const match = lines[cursor]?.match(pattern);
            if (match) {
              cursor += 1;
              return match;
            }
          }
          if (exit !== undefined) {
            throw tell(`The process ended (${exit.signal ?? exit.code}) without a line that matches ${pattern}`);
          }
          const more = new Promise<false>((resolve) => wakeUp.push(() => resolve(false)));
          if (await Promise.race([more, late])) throw tell(`No line matched ${pattern} within ${timeoutMs} ms`);
        }
      } finally {
        deadline.abort();
      }
    },
    writeLine(line) {
      child.stdin.write(`${line}\n`);
    },
    endInput() {
      child.stdin.end();
    },
    kill(signal = "SIGKILL") {
      child.kill(signal);
      return exited;
    },
    signal(signal) {
      child.kill(signal);
    },
  };
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  void exited.then(() => process.removeListener("exit", killNow));
  atEnd(() => result.kill());
  return result;
}

/** Ours without what vitest added: a child is a program of its own, not a part of the test runner. */
function childEnvironment(added: SpawnOptions["env"] = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(VITEST.*|NODE_ENV|NODE_OPTIONS|TEST|DEV|PROD|SSR|MODE|BASE_URL)$/.test(name)) env[name] = value;
  }
  for (const [name, value] of Object.entries(added)) {
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  return env;
}
