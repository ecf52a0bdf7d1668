import { vi } from "vitest";
import type { PageCommand } from "../../../src/cli/pages/page-usage.js";
import { runPages } from "../../../src/cli/pages/run-pages.js";
import { createSessionFile } from "../../../src/cli/pages/session-file.js";
import { UsageError } from "../../../src/cli/usage-error.js";
import { type Child, spawnNode } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { BUILT_CLI } from "../built-cli.js";
import type { CliRun } from "../export/run-cli.js";
import { fakeStream } from "../fake-terminal.js";

/** A user with a config folder of his own, who knows one server. */
export interface PageUser {
  readonly env: Readonly<Record<string, string>>;
  /** Where the login at that server is kept. */
  readonly session: string;
  /** Runs a command to its end in this process: where what counts is what it says, not that it is a program. */
  call(command: PageCommand, ...args: string[]): Promise<CliRun>;
  /** Starts the command as a program. */
  start(command: PageCommand, ...args: string[]): Child;
}

export const PASSWORD = "correct horse battery";

const VARIABLES = [
  "STARFISH_REPLICA_SERVER",
  "STARFISH_REPLICA_PASSWORD",
  "STARFISH_REPLICA_SYNC_TOKEN",
  "XDG_CONFIG_HOME",
] as const;

export function createPageUser(server: string, more: Readonly<Record<string, string>> = {}): PageUser {
  const config = tempDir();
  const env: Record<string, string> = {
    STARFISH_REPLICA_SERVER: server,
    STARFISH_REPLICA_PASSWORD: PASSWORD,
    XDG_CONFIG_HOME: config,
    ...more,
  };
  const clean = Object.fromEntries(VARIABLES.map((name) => [name, env[name]]));
  return {
    env,
    session: createSessionFile(server, { XDG_CONFIG_HOME: config }).path,
    async call(command, ...args) {
      const [stdout, stderr] = [fakeStream(), fakeStream()];
      for (const name of VARIABLES) vi.stubEnv(name, env[name]);
      let code: number;
      try {
        code = (await runPages(command, args, { stdout: stdout.stream, stderr: stderr.stream })) ? 0 : 1;
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        stderr.stream.write(`starfish-replica: ${error.message}\n\n${error.usage}`);
        code = 2;
      } finally {
        vi.unstubAllEnvs();
      }
      return { code, stdout: stdout.text().replace(/\n$/, ""), stderr: stderr.text() };
    },
    start: (command, ...args) =>
      spawnNode(BUILT_CLI, [command, ...args], { env: { ...clean, FORCE_COLOR: undefined } }),
  };
}
