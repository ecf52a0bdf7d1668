import { suggestion } from "../config/nearest-name.js";
import { showValue } from "../config/show-value.js";
import { ReplicaError } from "../errors.js";
import type { ExportFormat } from "./export-job.js";
import { FILE_FORMS } from "./formats/file-form.js";

const FORMATS: readonly string[] = Object.keys(FILE_FORMS);
/** A request may have as many as its body holds. */
const MAX_MISTAKES = 10;

/** @throws `INVALID_EXPORT` for what is no object, or has fields that are not known, with the nearest known ones */
export function requestFields(value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidExport([`an export must be an object such as { format: "sql" }, got ${showValue(value)}`]);
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length === 0) return value as Readonly<Record<string, unknown>>;
  const shown = unknown.slice(0, MAX_MISTAKES).map((key) => key.slice(0, 80));
  throw invalidExport(shown.map((key) => `${key} is unknown: ${suggestion(key, known)}`));
}

/** @throws `INVALID_EXPORT` naming every field that cannot work */
export function parseSelection(fields: Readonly<Record<string, unknown>>): {
  readonly format: ExportFormat;
  readonly tables: readonly string[] | null;
} {
  const { format = "sql", tables = null } = fields;
  const mistakes: string[] = [];
  if (typeof format !== "string" || !FORMATS.includes(format)) {
    const near = typeof format === "string" ? ` (${suggestion(format.slice(0, 80), FORMATS)})` : "";
    mistakes.push(`format must be one of ${FORMATS.join(", ")}, got ${showValue(format)}${near}`);
  }
  mistakes.push(...tablesMistakes(tables));
  if (format === "csv" && mistakes.length === 0 && (tables as readonly string[] | null)?.length !== 1)
    mistakes.push("tables must name exactly one table where the format is csv: a CSV file holds one");
  if (mistakes.length > 0) throw invalidExport(mistakes);
  return { format: format as ExportFormat, tables: tables === null ? null : [...(tables as readonly string[])] };
}

function tablesMistakes(tables: unknown): string[] {
  if (tables === null) return [];
  if (!Array.isArray(tables)) return [`tables must be a list of names, got ${showValue(tables)}: leave it out for all`];
  if (tables.length === 0) return ["tables must name at least one table: leave it out for all"];
  const wrong = [...tables.keys()].filter((index) => typeof tables[index] !== "string").slice(0, MAX_MISTAKES);
  return wrong.map((index) => `tables[${index}] must be the name of a table, got ${showValue(tables[index])}`);
}

export function invalidExport(mistakes: readonly string[]): ReplicaError {
  return new ReplicaError("INVALID_EXPORT", mistakes.slice(0, MAX_MISTAKES).join("; "), {
    hint: "Correct the request and send it again.",
  });
}
