import type { ExportJob } from "../../exports/export-job.js";
import { CliError } from "../cli-error.js";
import type { ControlClient } from "../control/control-client.js";
import { verifyJob } from "./verify-job.js";

/** The job of an id. @throws CliError */
export async function fetchJob(client: ControlClient, id: string, signal: AbortSignal): Promise<ExportJob> {
  const job = verifyJob(await client.ask(`/export/dump/${encodeURIComponent(id)}`, { signal }));
  if (job.id !== id) throw new CliError("NOT_OURS", `asked for ${id}, the server tells about ${job.id}`);
  return job;
}
