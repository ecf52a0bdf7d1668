import { showValue } from "../config/show-value.js";
import type { ExportFormat, ExportSelection } from "./export-job.js";
import { invalidExport, parseSelection, requestFields } from "./selection-fields.js";

/** What `ExportControl.stream` takes. */
export type StreamSelection = ExportSelection | { readonly format?: ExportSelection["format"]; readonly table: string };

/** A selection without a mistake, with its defaults. `alone`: in the form that one table alone has. */
export interface ParsedSelection {
  readonly format: ExportFormat;
  readonly tables: readonly string[] | null;
  readonly alone: boolean;
}

/** @throws `INVALID_EXPORT` naming every field that cannot work */
export function parseStreamSelection(selection: unknown): ParsedSelection {
  const { table, ...fields } = requestFields(selection, ["format", "tables", "table"]);
  if (table === undefined) return { ...parseSelection(fields), alone: false };
  if (fields.tables !== undefined) throw invalidExport(["table and tables exclude each other: give one of them"]);
  if (typeof table !== "string") throw invalidExport([`table must be the name of a table, got ${showValue(table)}`]);
  return { ...parseSelection({ ...fields, tables: [table] }), alone: true };
}
