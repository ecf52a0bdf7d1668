import type { ExportJob } from "../../exports/export-job.js";
import { printable } from "../printable.js";
import { showBytes } from "../progress/show-amount.js";

const HEAD = ["JOB", "STATE", "FORMAT", "ROWS", "SIZE", "CREATED", "TABLES"] as const;
const RIGHT: readonly string[] = ["ROWS", "SIZE"];

/** Jobs as lines with columns, cut at the terminal's width where there is one. */
export function jobsTable(jobs: readonly ExportJob[], columns: number = Number.POSITIVE_INFINITY): string {
  const rows: (readonly string[])[] = [HEAD, ...jobs.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return RIGHT.includes(HEAD[column] ?? "") ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
  return lines.map((line) => (line.length > columns ? line.slice(0, columns) : line)).join("\n");
}

function rowOf(job: ExportJob): readonly string[] {
  const { rowsDone, bytesWritten } = job.progress;
  return [
    job.id,
    job.state,
    printable(job.format, 20),
    String(rowsDone),
    showBytes(job.artifact?.bytes ?? bytesWritten),
    printable(job.createdAt, 40),
    job.tables === null ? "all" : printable(job.tables.join(", ")),
  ];
}
