import type { ExportJob } from "../../exports/export-job.js";
import { showBytes } from "../progress/show-amount.js";
import type { Report } from "../report.js";
import type { DownloadedFile } from "./download/download-to-file.js";

/** Says that a download has been proven; where it is, is the command's result. */
export function tellDownloaded(report: Report, job: ExportJob, file: DownloadedFile | null): void {
  const { bytes = 0, sha256 = "" } = job.artifact ?? {};
  const size = `${showBytes(file?.bytes ?? bytes)}, SHA-256 verified`;
  const text =
    file === null
      ? `Written to standard output: ${size}`
      : `${file.unchanged ? "There already" : "Downloaded"}: ${size}`;
  report.note(text, { event: "downloaded", job: job.id, bytes: file?.bytes ?? bytes, sha256: file?.sha256 ?? sha256 });
}
