import type { ExportJob } from "../../../exports/export-job.js";
import { finishedArtifact } from "../finished-artifact.js";
import type { DownloadOptions, DownloadWork } from "./download-options.js";
import { type DownloadedFile, downloadToFile } from "./download-to-file.js";
import { downloadToStream } from "./download-to-stream.js";

/**
 * Downloads what a job has made, and proves it with the job's SHA-256.
 * @returns where it is; `null` for standard output
 * @throws CliError
 */
export async function downloadJob(
  job: ExportJob,
  { out, force }: DownloadOptions,
  work: DownloadWork & { readonly stdout: NodeJS.WriteStream },
): Promise<DownloadedFile | null> {
  const artifact = finishedArtifact(job);
  try {
    if (out === "-") {
      await downloadToStream(job, artifact, work.stdout, work);
      return null;
    }
    return await downloadToFile(job, artifact, { out, force }, work);
  } finally {
    work.report.end();
  }
}
