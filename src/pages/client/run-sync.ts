import { existsSync } from "node:fs";
import { ReplicaError } from "../../errors.js";
import type { PageSyncResult } from "../page-client.js";
import { lockTarget } from "../target/lock-target.js";
import { readSyncRecord } from "../target/sync-record.js";
import { resolveTarget } from "../target/target-path.js";
import { pullFile } from "./pull-file.js";
import { pushFile } from "./push-file.js";
import { ServerLink } from "./server-link.js";
import type { SyncContext } from "./sync-call.js";
import { SyncProgress } from "./sync-progress.js";
import type { SyncRun } from "./sync-run.js";
import { makeWorkFolder, mayWriteBeside } from "./work-folder.js";

/** One push or pull, from the file to the file. Nothing is left of it but what it was for. @throws as `PageClient.push` and `pull` */
export async function runSync(context: SyncContext): Promise<PageSyncResult> {
  try {
    return await runLocked(context);
  } catch (error) {
    throw withoutToken(error, context.call.token);
  }
}

async function runLocked({ call, signal, tell }: SyncContext): Promise<PageSyncResult> {
  signal.throwIfAborted();
  const path = resolveTarget(call.file);
  if (call.direction === "push" && !existsSync(path)) {
    throw new ReplicaError("LOCAL_DATABASE", `There is no file ${path} to be pushed`, {
      hint: "Check the path. A pull makes the file.",
    });
  }
  // Who may only read a file may push it; nothing can be remembered of that.
  const isWritable = call.direction === "pull" || mayWriteBeside(path);
  const lock = isWritable ? await lockTarget(path) : null;
  try {
    const work = makeWorkFolder(path, isWritable);
    try {
      const { record, notice } = await readSyncRecord(path);
      const link = new ServerLink({ url: call.url, token: call.token, idleMs: call.idleMs, signal });
      const progress = new SyncProgress(tell, link);
      const notices = notice === null ? [] : [notice];
      if (!isWritable) {
        notices.push(
          `Nothing can be written beside ${path}, so that it is not remembered which version it comes from: where others push too, the next push has to be forced.`,
        );
      }
      const isRecordLost = notice !== null;
      const run: SyncRun = {
        call,
        signal,
        path,
        workDir: work.path,
        isWritable,
        record,
        isRecordLost,
        progress,
        link,
        notices,
      };
      const result = call.direction === "push" ? await pushFile(run) : await pullFile(run);
      progress.flush();
      return result;
    } finally {
      work.remove();
    }
  } finally {
    lock?.release();
  }
}

/** Shorter ones are no secret, and may be words of a sentence. */
const LEAST_SECRET = 16;

/** A server may say a token back to us, or a library. */
function withoutToken(error: unknown, token: string): unknown {
  if (
    token.length < LEAST_SECRET ||
    !(error instanceof ReplicaError) ||
    !`${error.message} ${error.hint}`.includes(token)
  )
    return error;
  const { code, status, retryable, retryAfterMs, hint } = error;
  return new ReplicaError(code, error.message.replaceAll(token, "…"), {
    retryable,
    ...(status !== undefined && { status }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(hint !== undefined && { hint: hint.replaceAll(token, "…") }),
  });
}
