import type { Output } from "../demo/terminal.js";
import { parseCommandLine } from "../parse-flags.js";
import { UsageError } from "../usage-error.js";
import { downloadJob } from "./download/download-job.js";
import { SERVER_FLAGS, withServer } from "./export-context.js";
import { fetchJob } from "./fetch-job.js";
import { jobOperand } from "./job-operand.js";
import { tellDownloaded } from "./tell-downloaded.js";

const FLAGS = { ...SERVER_FLAGS, output: "string", force: "boolean" } as const;

/** `export download`. */
export async function download(args: readonly string[], output: Output): Promise<boolean> {
  const { flags, operands } = parseCommandLine(args, FLAGS, { shorts: { o: "output" }, maxOperands: 1 });
  const id = jobOperand(operands);
  const out = flags.output;
  if (out === "") throw new UsageError("--output needs the name of a file, a folder, or -");
  // A bar would stand in the middle of the data.
  const quiet = out === "-" && output.stdout.isTTY === true;
  const command: Parameters<typeof withServer>[2] = async ({ client, report, signal, stdout }) => {
    const job = await fetchJob(client, id, signal);
    const options = { ...(out !== undefined && { out }), force: flags.force === true };
    const file = await downloadJob(job, options, { client, report, signal, stdout });
    tellDownloaded(report, job, file);
    if (file !== null) report.result(file.file, { job: id, ...file });
    return true;
  };
  return await withServer(flags, output, command, quiet);
}
