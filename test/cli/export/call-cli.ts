import { vi } from "vitest";
import { runExport } from "../../../src/cli/export/run-export.js";
import { UsageError } from "../../../src/cli/usage-error.js";
import { fakeStream } from "../fake-terminal.js";
import type { CliRun } from "./run-cli.js";

/** Runs `export ...` to its end as `runCli` does, but in this process: where what counts is what it says, not that it is a program. */
export async function callCli(env: Readonly<Record<string, string>>, args: readonly string[]): Promise<CliRun> {
  const [stdout, stderr] = [fakeStream(), fakeStream()];
  const variables = ["STARFISH_REPLICA_SERVER", "STARFISH_REPLICA_TOKEN"] as const;
  for (const name of variables) vi.stubEnv(name, env[name]);
  let code: number;
  try {
    code = (await runExport(args, { stdout: stdout.stream, stderr: stderr.stream })) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.stream.write(`starfish-replica: ${error.message}\n\n${error.usage}`);
    code = 2;
  } finally {
    vi.unstubAllEnvs();
  }
  return { code, stdout: stdout.text().replace(/\n$/, ""), stderr: stderr.text() };
}
