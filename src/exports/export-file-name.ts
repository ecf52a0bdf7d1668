import { parse } from "node:path";
import type { ExportFormat, ExportJob } from "./export-job.js";
import { FILE_FORMS } from "./formats/file-form.js";

/** File systems take 255 with the day and the ending. */
const MAX_NAME_BYTES = 200;

/**
 * What to call an export: `<name of the database's file, or of the only table>-<YYYY-MM-DD><ending>`. Harmless on every system: without separators,
 * control characters and what Windows keeps for itself, and short.
 */
export function exportFileName(
  database: string,
  {
    format,
    tables,
    at,
  }: { readonly format: ExportFormat; readonly tables: readonly string[] | null; readonly at: Date },
): string {
  const [only, ...others] = tables ?? [];
  const name = only !== undefined && others.length === 0 ? only : parse(database).name;
  return `${harmless(name)}-${at.toISOString().slice(0, 10)}${FILE_FORMS[format].fileExtension}`;
}

/** What to call a job's file: by the day on which it was asked for. */
export function artifactFileName(
  database: string,
  { format, tables, createdAt }: Pick<ExportJob, "format" | "tables" | "createdAt">,
): string {
  return exportFileName(database, { format, tables, at: new Date(createdAt) });
}

function harmless(name: string): string {
  const cleaned = name
    .normalize("NFC")
    // \p{C}: control characters, half surrogates, and what turns the direction of reading.
    .replace(/[\p{C}\p{Zl}\p{Zp}<>:"/\\|?*%]+/gu, "_")
    .replace(/^[\s.]+/, "");
  let short = "";
  for (const character of cleaned) {
    if (Buffer.byteLength(short + character) > MAX_NAME_BYTES) break;
    short += character;
  }
  return short.trim() || "export";
}
