import type { ExportJob } from "../../exports/export-job.js";
import { CliError } from "../cli-error.js";
import { printable } from "../printable.js";

/** What a job has made. @throws CliError `JOB_UNFINISHED`, or what the job failed with */
export function finishedArtifact(job: ExportJob): { readonly bytes: number; readonly sha256: string } {
  if (job.state === "failed") throw jobError(job);
  if (job.artifact !== null) return job.artifact;
  throw new CliError("JOB_UNFINISHED", `job ${job.id} is still ${job.state}`, {
    hint: `Wait for it with: starfish-replica export status ${job.id} --watch`,
  });
}

/** What a failed job failed with. */
export function jobError({ id, error }: ExportJob): CliError {
  const code = printable(error?.code ?? "JOB_FAILED", 80);
  return new CliError(code, `job ${id} failed: ${printable(error?.message ?? "it does not say why")}`);
}
