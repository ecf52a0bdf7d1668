import { spawn, spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { atEnd } from "../support/at-end.js";
import { waitFor } from "../support/wait.js";

/** A shell command on a real pseudo-terminal of 80 columns and 24 lines. */
export interface TerminalChild {
  /** All that the terminal has shown, without its control sequences. */
  readonly text: string;
  /** Types, without waiting. */
  type(keys: string): void;
  /** Waits for what comes after the last match, and has not been asked for before. */
  waitFor(pattern: RegExp): Promise<RegExpMatchArray>;
  /** The terminal goes away, as when its window is closed. */
  hangUp(): Promise<void>;
  /** Resolves when the command has ended. */
  readonly exited: Promise<unknown>;
}

/** `script` of util-linux, which Debian always has (bsdutils): the one of BSD and macOS takes other flags. */
export const hasScript: boolean =
  spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;

export function spawnInTerminal(command: string, env: Readonly<Record<string, string>>): TerminalChild {
  const child = spawn("script", ["-qfc", `stty cols 80 rows 24 echo; ${command}`, "/dev/null"], {
    env: { PATH: process.env.PATH, TERM: "xterm", SHELL: "/bin/sh", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let raw = "";
  let cursor = 0;
  const text = () => stripVTControlCharacters(raw);
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    raw += piece;
  });
  child.stdin.on("error", () => {});
  const exited = new Promise((resolve) => child.once("close", resolve));
  const hangUp = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  atEnd(hangUp);
  return {
    get text() {
      return text();
    },
    type: (keys) => void child.stdin.write(keys),
    async waitFor(pattern) {
      const match = await waitFor(() => pattern.exec(text().slice(cursor)), {
        timeoutMs: 10_000,
        what: `${pattern} after ${JSON.stringify(text().slice(cursor, cursor + 80))}`,
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n--- terminal ---\n${text().slice(-2_000)}`, { cause: error });
      });
      cursor += match.index + match[0].length;
      return match;
    },
    hangUp,
    exited,
  };
}
