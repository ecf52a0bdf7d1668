import type { ExportJob } from "../../exports/export-job.js";
import { printable } from "../printable.js";
import { showBytes, showCount } from "../progress/show-amount.js";

/** All about one job, a fact a line. */
export function jobText(job: ExportJob): string {
  const { tablesDone, tablesTotal, rowsDone, bytesWritten } = job.progress;
  const { artifact, callback, error } = job;
  const facts: (readonly [string, string] | null)[] = [
    ["job", job.id],
    ["state", job.state],
    ["format", job.format],
    ["tables", job.tables === null ? "all" : job.tables.join(", ")],
    tablesTotal === null
      ? ["done", "nothing yet"]
      : ["done", `${tablesDone} of ${showCount(tablesTotal, "table")}, ${showCount(rowsDone, "row")}`],
    artifact === null
      ? ["written", showBytes(bytesWritten)]
      : ["file", `${showBytes(artifact.bytes)} (${artifact.bytes} bytes)`],
    artifact && ["sha256", artifact.sha256],
    ["created", job.createdAt],
    job.finishedAt === null ? null : ["finished", job.finishedAt],
    error && ["error", `${error.message} (${error.code})`],
    callback && ["callback", `${callback.state}, sent ${showCount(callback.attempts, "time")}: ${callback.url}`],
  ];
  return facts
    .filter((fact) => fact !== null)
    .map(([name, value]) => `${name.padEnd(8)}  ${printable(value, 2_000)}`)
    .join("\n");
}
