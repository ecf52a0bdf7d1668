import type { Output } from "../demo/terminal.js";
import { parseCommandLine } from "../parse-flags.js";
import { UsageError } from "../usage-error.js";
import { SERVER_FLAGS, withServer } from "./export-context.js";
import { fetchJob } from "./fetch-job.js";
import { jobError } from "./finished-artifact.js";
import { jobOperand } from "./job-operand.js";
import { jobText } from "./job-text.js";
import { jobsTable } from "./jobs-table.js";
import { verifyJobs } from "./verify-job.js";
import { watchJob } from "./watch-job.js";

/** `export status`. */
export async function status(args: readonly string[], output: Output): Promise<boolean> {
  const { flags, operands } = parseCommandLine(args, { ...SERVER_FLAGS, watch: "boolean" }, { maxOperands: 1 });
  const { watch = false } = flags;
  if (operands.length === 0) {
    if (watch) throw new UsageError("--watch watches one job: which JOB?");
    return await withServer(flags, output, async ({ client, report, signal, stdout }) => {
      const jobs = verifyJobs(await client.ask("/export/jobs", { signal }));
      if (jobs.length === 0 && !report.json) report.note("There are no jobs.", { event: "empty" });
      else report.result(jobsTable(jobs, stdout.isTTY ? stdout.columns : undefined), { jobs });
      return true;
    });
  }
  const id = jobOperand(operands);
  return await withServer(flags, output, async (context) => {
    const { client, report, signal } = context;
    let job = await fetchJob(client, id, signal);
    if (watch) job = await watchJob(job, context);
    report.result(jobText(job), job);
    if (watch && job.state === "failed") throw jobError(job);
    return true;
  });
}
