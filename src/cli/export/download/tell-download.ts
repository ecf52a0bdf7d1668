import { errorText } from "../../../control/error-answer.js";
import type { CliError } from "../../cli-error.js";
import type { ProgressFacts } from "../../progress/progress-facts.js";
import { showDuration } from "../../progress/show-amount.js";
import type { Report } from "../../report.js";

export function downloadProgress(label: string, done: number, total: number, job: string): ProgressFacts {
  return { label, done, total, data: { job, bytes: done, totalBytes: total } };
}

/** Says that a try has failed and when the next comes. */
export function retryNote(report: Report, error: CliError, delayMs: number): void {
  const text = errorText(error);
  const again = delayMs < 1_000 ? "again now" : `again in ${showDuration(delayMs)}`;
  report.note(`${text}${text.endsWith(".") ? " " : "; "}${again}`, {
    event: "retry",
    code: error.code,
    error: text,
    delayMs,
  });
}
