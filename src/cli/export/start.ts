import { suggestion } from "../../config/nearest-name.js";
import type { ExportFormat, ExportJob } from "../../exports/export-job.js";
import type { Output } from "../demo/terminal.js";
import { type Flags, parseCommandLine } from "../parse-flags.js";
import { showBytes, showCount } from "../progress/show-amount.js";
import type { Report } from "../report.js";
import { UsageError } from "../usage-error.js";
import { downloadJob } from "./download/download-job.js";
import type { DownloadedFile } from "./download/download-to-file.js";
import { type ExportContext, SERVER_FLAGS, withServer } from "./export-context.js";
import { jobError } from "./finished-artifact.js";
import { tellDownloaded } from "./tell-downloaded.js";
import { verifyJob } from "./verify-job.js";
import { watchJob } from "./watch-job.js";

const FLAGS = {
  ...SERVER_FLAGS,
  format: "string",
  table: "list",
  callback: "string",
  "no-wait": "boolean",
  download: "optional",
  force: "boolean",
} as const;

const FORMATS: readonly ExportFormat[] = ["sql", "csv", "json", "ndjson"];

/** `export start`. */
export async function start(args: readonly string[], output: Output): Promise<boolean> {
  const { flags } = parseCommandLine(args, FLAGS);
  const { format, table: tables, callback: callbackUrl } = flags;
  verifyFlags(flags);
  const request = { ...(format && { format }), ...(tables && { tables }), ...(callbackUrl && { callbackUrl }) };
  return await withServer(flags, output, async (context) => {
    const { report, signal } = context;
    let job = await startJob(request, context);
    // At once: whoever reads it has it, whatever happens to us. Programs get the job as it is in the end.
    const toStdout = flags.download === "-";
    if (toStdout) report.note(`Job ${job.id}`, { event: "started", job });
    else if (!report.json) report.result(job.id, job);
    else report.note("", { event: "started", job });
    if (flags["no-wait"]) {
      if (report.json) report.result("", job);
      return true;
    }
    try {
      job = await watchJob(job, context, (seen) => {
        job = seen;
      });
    } catch (error) {
      if (report.json && !toStdout) report.result("", job);
      if (signal.aborted) tellStillRunning(report, job);
      throw error;
    }
    if (job.state === "failed") {
      if (report.json && !toStdout) report.result("", job);
      throw jobError(job);
    }
    tellCompleted(report, job, flags.download === undefined);
    return await finish(job, flags, context);
  });
}

/** Is never tried twice: there would be two jobs. */
async function startJob(request: object, { client, report, signal }: ExportContext): Promise<ExportJob> {
  try {
    return verifyJob(await client.ask("/export/dump", { method: "POST", body: request, signal }));
  } catch (error) {
    if (signal.aborted) {
      const text = "Stopped before the server answered. Whether there is a job: starfish-replica export status";
      report.note(text, { event: "interrupted", job: null });
    }
    throw error;
  }
}

/** With `--download`, fetches the file; tells programs the job. */
async function finish(job: ExportJob, flags: Flags<typeof FLAGS>, context: ExportContext): Promise<boolean> {
  const { report } = context;
  const { download } = flags;
  if (download === undefined) {
    if (report.json) report.result("", job);
    return true;
  }
  const options = { ...(download !== true && { out: download }), force: flags.force === true };
  let file: DownloadedFile | null = null;
  try {
    file = await downloadJob(job, options, context);
  } finally {
    // The job has completed, whatever becomes of the download.
    if (report.json && download !== "-") report.result("", { ...job, file: file?.file ?? null });
  }
  tellDownloaded(report, job, file);
  return true;
}

/** What needs no server to be found out. */
function verifyFlags(flags: Flags<typeof FLAGS>): void {
  const { format, table: tables = [], download } = flags;
  if (format !== undefined && !(FORMATS as readonly string[]).includes(format)) {
    throw new UsageError(`--format "${format}" is unknown: ${suggestion(format, FORMATS)}`);
  }
  if (tables.includes("")) throw new UsageError("--table needs the name of a table");
  if (flags.callback === "") throw new UsageError("--callback needs a URL");
  if (download === "") throw new UsageError("--download= needs the name of a file, a folder, or -");
  if (format === "csv" && tables.length !== 1) {
    throw new UsageError("--format csv has a form for one table alone: name it with --table");
  }
  if (flags["no-wait"] && download !== undefined) {
    throw new UsageError("--download waits for the job, and --no-wait does not: give one of them");
  }
  if (flags.force && download === undefined) throw new UsageError("--force says what --download may do: give both");
}

function tellCompleted(report: Report, job: ExportJob, isLast: boolean): void {
  const { tablesTotal, rowsDone } = job.progress;
  const tables = tablesTotal === null ? "" : `${showCount(tablesTotal, "table")}, `;
  const fetchIt = isLast ? `\nFetch it with: starfish-replica export download ${job.id}` : "";
  const text = `Completed: ${tables}${showCount(rowsDone, "row")}, ${showBytes(job.artifact?.bytes ?? 0)}${fetchIt}`;
  report.note(text, { event: "completed", job });
}

function tellStillRunning(report: Report, job: ExportJob): void {
  report.end();
  report.note(
    `Stopped watching. The job goes on at the server:
  starfish-replica export status ${job.id} --watch   shows how it gets on
  starfish-replica export cancel ${job.id}           ends it`,
    { event: "interrupted", job },
  );
}
