import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";

/**
 * Runs Debian's `sqlite3` on a file, with another file as its standard input.
 * @throws where it is not installed, with what installs it, or where it says anything on stderr.
 */
export function sqliteShell(database: string, input?: string, args: readonly string[] = [], cwd?: string): string {
  const stdin = input === undefined ? "ignore" : openSync(input, "r");
  try {
    const run = spawnSync(
      "sqlite3",
      [...args.filter((arg) => arg.startsWith("-")), database, ...args.filter((arg) => !arg.startsWith("-"))],
      {
        ...(cwd === undefined ? {} : { cwd }),
        stdio: [stdin, "pipe", "pipe"],
        maxBuffer: 1 << 30,
      },
    );
    if (run.error !== undefined) {
      throw new Error("These tests need the sqlite3 shell: apt-get install sqlite3", { cause: run.error });
    }
    if (run.status !== 0 || run.stderr.length > 0) {
      throw new Error(`sqlite3 ended with ${run.status ?? run.signal}: ${run.stderr.toString().slice(0, 2_000)}`);
    }
    return run.stdout.toString();
  } finally {
    if (typeof stdin === "number") closeSync(stdin);
  }
}
