import type { SourceTable } from "../source-table.js";

/** An identifier that PostgreSQL takes as it is, whatever is in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable(table: SourceTable): string {
  return `${quoteName(table.schema)}.${quoteName(table.name)}`;
}
