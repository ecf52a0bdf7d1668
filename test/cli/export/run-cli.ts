import { type Child, spawnNode } from "../../support/child.js";
import type { FakeExports } from "./fake-exports.js";

/** What a command did. */
export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `export ...` against a server, in a folder. */
export function startCli(cli: string, { env }: Pick<FakeExports, "env">, args: readonly string[], cwd?: string): Child {
  const clean = { STARFISH_REPLICA_SERVER: undefined, STARFISH_REPLICA_TOKEN: undefined, FORCE_COLOR: undefined };
  return spawnNode(cli, ["export", ...args], { env: { ...clean, ...env }, ...(cwd !== undefined && { cwd }) });
}

export async function resultOf(child: Child): Promise<CliRun> {
  const { code } = await child.exited;
  return { code, stdout: child.lines.join("\n"), stderr: child.stderr };
}

/** Runs `export ...` to its end. */
export function runCli(...args: Parameters<typeof startCli>): Promise<CliRun> {
  return resultOf(startCli(...args));
}

/** The JSON objects that text has, one a line. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
