import { suggestion } from "../config/nearest-name.js";
import { showValue } from "../config/show-value.js";
import { ReplicaError } from "../errors.js";
import { callbackUrlMistake } from "./callbacks/callback-url.js";
import type { ExportFormat, ExportRequest, ExportSelection } from "./export-job.js";
import type { DumpSelection } from "./formats/dump-selection.js";
import { FILE_FORMS } from "./formats/file-form.js";

/** What `ExportControl.stream` takes. */
export type StreamSelection = ExportSelection | { readonly format?: ExportSelection["format"]; readonly table: string };

/** A selection without a mistake, with its defaults. `table`: one table in the form that one table alone has. */
export interface ParsedSelection {
  readonly format: ExportFormat;
  readonly tables: readonly string[] | null;
  readonly alone: boolean;
}

const FORMATS: readonly string[] = Object.keys(FILE_FORMS);

/**
 * Checks the request of a job, which may come from anywhere.
 * @param callbacks what the options say of callbacks; `null` where there are none
 * @throws `INVALID_EXPORT` naming every field that cannot work, `CALLBACK_REFUSED` for a URL that may not be called
 */
export function parseJobRequest(
  request: unknown,
  callbacks: { readonly allowPrivate: boolean } | null,
): Required<ExportRequest> {
  const { callbackUrl = null, ...selection } = fieldsOf(request, ["format", "tables", "callbackUrl"]);
  const { format, tables } = parseFields(selection);
  if (callbackUrl === null) return { format, tables, callbackUrl: null };
  if (callbacks === null)
    throw invalidExport(["callbackUrl cannot be used here: no `callbacks` are set up in the options"]);
  if (typeof callbackUrl !== "string")
    throw invalidExport([`callbackUrl must be a URL, got ${showValue(callbackUrl)}`]);
  const mistake = callbackUrlMistake(callbackUrl, callbacks);
  if (mistake === null) return { format, tables, callbackUrl };
  throw new ReplicaError("CALLBACK_REFUSED", `callbackUrl ${mistake}`, {
    hint: "Give a URL that this server may call, or none.",
  });
}

/** @throws `INVALID_EXPORT` naming every field that cannot work */
export function parseStreamSelection(selection: unknown): ParsedSelection {
  const { table, ...fields } = fieldsOf(selection, ["format", "tables", "table"]);
  if (table === undefined) return { ...parseFields(fields), alone: false };
  if (fields.tables !== undefined) throw invalidExport(["table and tables exclude each other: give one of them"]);
  if (typeof table !== "string") throw invalidExport([`table must be the name of a table, got ${showValue(table)}`]);
  return { ...parseFields({ ...fields, tables: [table] }), alone: true };
}

/** What a dump is told. `except` counts where all tables are asked for. */
export function dumpSelection({ tables, alone }: ParsedSelection, except: readonly string[]): DumpSelection {
  const [only] = tables ?? [];
  if (alone && only !== undefined) return { table: only };
  return tables === null ? { tables: "all", except } : { tables };
}

function fieldsOf(value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidExport([`an export must be an object such as { format: "sql" }, got ${showValue(value)}`]);
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length === 0) return value as Readonly<Record<string, unknown>>;
  throw invalidExport(
    unknown.map((key) => key.slice(0, 80)).map((key) => `${key} is unknown: ${suggestion(key, known)}`),
  );
}

function parseFields(fields: Readonly<Record<string, unknown>>): {
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
  return tables.flatMap((name, index) =>
    typeof name === "string" ? [] : [`tables[${index}] must be the name of a table, got ${showValue(name)}`],
  );
}

function invalidExport(mistakes: readonly string[]): ReplicaError {
  return new ReplicaError("INVALID_EXPORT", mistakes.slice(0, 10).join("; "), {
    hint: "Correct the request and send it again.",
  });
}
