import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { BUILT_CLI } from "../cli/built-cli.js";
import { atEnd } from "./at-end.js";
import { tempDir } from "./temp-dir.js";

/** What a reader installs beside the package. */
const PACKAGES = ["hono", "@hono/node-server", "better-sqlite3", "macaroon", "standardwebhooks"];

/** How a shell script ended. */
export interface ShellResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder where the package is installed. */
export function installedProject(): string {
  chmodSync(BUILT_CLI, 0o755);
  const dir = tempDir();
  const modules = join(dir, "node_modules");
  for (const name of ["", "@hono", ".bin"]) mkdirSync(join(modules, name));
  symlinkSync(resolve(dirname(BUILT_CLI), "../.."), join(modules, "starfish-replica"));
  symlinkSync(BUILT_CLI, join(modules, ".bin", "starfish-replica"));
  for (const name of PACKAGES) symlinkSync(resolve("node_modules", name), join(modules, name));
  return dir;
}

/** Runs a script with bash until its first mistake, in a project's folder and with what is installed there. */
export async function runShell(
  dir: string,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ShellResult> {
  // What it started goes with it.
  const prelude =
    "set -euo pipefail\ntrap 'kill -KILL $(jobs -p) 2>/dev/null || true' EXIT\nPATH=\"$PWD/node_modules/.bin:$PATH\"\n";
  const shell = spawn("bash", ["-c", prelude + script], {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  atEnd(() => shell.kill("SIGTERM"));
  let stdout = "";
  let stderr = "";
  shell.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  shell.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((done, failed) => shell.once("error", failed).once("close", done));
  return { code, stdout, stderr };
}
