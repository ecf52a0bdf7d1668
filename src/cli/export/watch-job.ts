import { setTimeout as delay } from "node:timers/promises";
import type { ExportJob } from "../../exports/export-job.js";
import { CliError } from "../cli-error.js";
import type { ControlClient } from "../control/control-client.js";
import type { ProgressFacts } from "../progress/progress-facts.js";
import { showCount, showDuration } from "../progress/show-amount.js";
import type { Report } from "../report.js";
import { fetchJob } from "./fetch-job.js";

const FIRST_LOOK_MS = 150;
const LONGEST_LOOK_MS = 1_000;
/** A server that is started again goes on with its jobs; one that stays away so long needs somebody. */
const PATIENCE_MS = 180_000;

/**
 * Shows how a job gets on until it has ended. A server that does not answer is asked again for three minutes.
 * @param onLook told of what was seen last
 * @throws CliError where the job is gone, or nobody answers
 */
export async function watchJob(
  started: ExportJob,
  { client, report, signal }: { readonly client: ControlClient; readonly report: Report; readonly signal: AbortSignal },
  onLook: (job: ExportJob) => void = () => {},
): Promise<ExportJob> {
  let job = started;
  let pauseMs = FIRST_LOOK_MS;
  let silentSince: number | null = null;
  // By our own clock: the server's may be another.
  const since = performance.now();
  while (job.state === "queued" || job.state === "running") {
    report.progress(jobProgress(job, performance.now() - since));
    await delay(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    pauseMs = Math.min(LONGEST_LOOK_MS, pauseMs * 1.3);
    try {
      job = await fetchJob(client, job.id, signal);
      onLook(job);
      if (silentSince !== null) report.note("the server answers again", { event: "reconnected" });
      silentSince = null;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CliError) || !error.retryable) throw error;
      if (silentSince === null) {
        report.note(`${error.message}; the job goes on once it is back`, {
          event: "retry",
          code: error.code,
          error: error.message,
        });
      }
      silentSince ??= performance.now();
      if (performance.now() - silentSince > PATIENCE_MS) throw error;
      pauseMs = Math.max(LONGEST_LOOK_MS, Math.min(error.retryAfterMs ?? 0, 30_000));
    }
  }
  report.end();
  return job;
}

/** What a job has done, for a line that is drawn while it runs. */
function jobProgress(job: ExportJob, elapsedMs: number): ProgressFacts {
  const { tablesDone, tablesTotal, rowsDone, bytesWritten } = job.progress;
  const elapsed = showDuration(elapsedMs);
  const step = tablesTotal === null ? "taking a snapshot" : tablesText(tablesDone, tablesTotal);
  const details =
    job.state === "queued" ? ["waiting for its turn", elapsed] : [step, showCount(rowsDone, "row"), elapsed];
  return { label: "Exporting", done: bytesWritten, total: null, details, data: { job } };
}

function tablesText(done: number, total: number): string {
  return `${done.toLocaleString("en-US")} of ${showCount(total, "table")}`;
}
