import { ReplicaError } from "../../errors.js";
import type { PageSyncResult } from "../../pages/page-client.js";
import { CliError } from "../cli-error.js";
import { isInTheOpen, pickSetting, readServerUrl } from "../control/server-url.js";
import type { Output } from "../demo/terminal.js";
import { Interrupted, interruptible } from "../interruptible.js";
import { parseFlags } from "../parse-flags.js";
import { createReport } from "../report.js";
import { UsageError } from "../usage-error.js";
import { PAGE_FLAGS } from "./admin-context.js";
import { isToken } from "./is-token.js";
import type { PageRun } from "./page-run.js";
import { syncProgress } from "./sync-progress.js";
import { syncSummary } from "./sync-summary.js";

const SYNC_TOKEN_VARIABLE = "STARFISH_REPLICA_SYNC_TOKEN";

const FLAGS = { ...PAGE_FLAGS, db: "string", token: "string", force: "boolean" } as const;

/** What has been committed is not taken back, and its answer may have been on its way. */
const STOPPED = {
  push: "Stopped. The server has all of the push or nothing of it.",
  pull: "Stopped. The file is whole: as it was, or as the server has it.",
} as const;

/** `sync push` and `sync pull`. */
export const SYNC_COMMANDS: Readonly<Record<string, PageRun>> = {
  push: (args, output) => sync("push", parseFlags(args, FLAGS), output),
  pull: (args, output) => sync("pull", parseFlags(args, { ...FLAGS, check: "boolean" }), output),
};

interface SyncFlags {
  readonly server?: string;
  readonly db?: string;
  readonly token?: string;
  readonly json?: true;
  readonly force?: true;
  readonly check?: true;
}

async function sync(direction: "push" | "pull", flags: SyncFlags, output: Output): Promise<boolean> {
  const url = readServerUrl(flags.server, process.env);
  const file = flags.db ?? "";
  if (file === "") throw new UsageError("which file? --db FILE");
  const token = tokenOf(flags.token);
  const report = createReport(output, { json: flags.json === true });
  if (isInTheOpen(url)) {
    const message = `token and pages go to ${new URL(url).host} unencrypted, where others may read them: use https://`;
    report.note(`starfish-replica: warning: ${message}`, { event: "warning", message });
  }
  // Not for `--help`, nor for wrong usage.
  const { createPageClient } = await import("../../pages/create-page-client.js");
  const client = createPageClient({ url });
  try {
    const result: PageSyncResult = await interruptible((signal) =>
      client[direction](
        {
          file,
          token,
          force: flags.force === true,
          ...(flags.check && { check: true }),
          onProgress: (progress) => report.progress(syncProgress(direction, file, progress)),
        },
        signal,
      ),
    );
    report.end();
    for (const notice of result.notices) report.note(notice, { event: "notice", message: notice });
    report.result(syncSummary(direction, file, result), { direction, file, ...result });
    return true;
  } catch (error) {
    if (error instanceof Interrupted) {
      report.end();
      report.note(STOPPED[direction], { event: "interrupted" });
    } else {
      report.failure(explained(error));
    }
    return false;
  } finally {
    await client.close();
  }
}

function tokenOf(flag: string | undefined): string {
  const [token, from] = pickSetting(flag, "--token", process.env[SYNC_TOKEN_VARIABLE], SYNC_TOKEN_VARIABLE);
  if (token === "") {
    throw new UsageError(
      `which token? --token TOKEN or ${SYNC_TOKEN_VARIABLE}, as \`starfish-replica db token\` prints it`,
    );
  }
  if (!isToken(token)) {
    throw new UsageError(`${from} holds characters that no token has: is it quoted or pasted as it should be?`);
  }
  return token;
}

function explained(error: unknown): unknown {
  if (!(error instanceof ReplicaError)) return error;
  const { code, message, hint, retryable } = error;
  return new CliError(code, message, { hint, retryable, cause: error });
}
