import { foldName, quoteIdentifier } from "../../sqlite/identifier.js";
import type { SourceColumn, SourceTable } from "../sources/source-table.js";
import { listColumns } from "./create-table.js";
import { declaredType } from "./declared-type.js";
import type { LocalDatabase } from "./local-database.js";

/** What has become of a source's table. */
export interface SchemaChange {
  /** `same`: nothing that matters to the copy. `follow`: the local table can be altered. `rebuild`: it must be copied anew. */
  readonly kind: "same" | "follow" | "rebuild";
  /** Columns that were not there before, or were others of the same name, in the source's order. Rows that were copied lack their values. */
  readonly added: readonly SourceColumn[];
  /** Columns that are gone. */
  readonly dropped: readonly string[];
  /** Why it must be rebuilt, in words; only then. */
  readonly reason?: string;
}

/** Compares a table with what it was when it was last copied. A type that only became wider is `follow`, with nothing to do but to remember it. */
export function compareTables(before: SourceTable, now: SourceTable): SchemaChange {
  const old = new Map(before.columns.map((column) => [column.name, column]));
  const current = new Map(now.columns.map((column) => [column.name, column]));
  const replaced = (name: string): boolean => isReplaced(old.get(name), current.get(name));
  const added = now.columns.filter(({ name }) => !old.has(name) || replaced(name));
  const dropped = before.columns.map(({ name }) => name).filter((name) => !current.has(name) || replaced(name));
  const reason = rebuildReason(before, now, old, added, dropped);
  if (reason !== null) return { kind: "rebuild", added, dropped, reason };
  const wider = now.columns.some((column) => old.get(column.name)?.sourceType !== column.sourceType);
  return { kind: wider || dropped.length > 0 ? "follow" : "same", added, dropped };
}

function isReplaced(was: SourceColumn | undefined, is: SourceColumn | undefined): boolean {
  return was?.identity !== undefined && is?.identity !== undefined && was.identity !== is.identity;
}

function rebuildReason(
  before: SourceTable,
  now: SourceTable,
  old: ReadonlyMap<string, SourceColumn>,
  added: readonly SourceColumn[],
  dropped: readonly string[],
): string | null {
  if (before.identity !== now.identity) return "the source's table was dropped and made again";
  const keys = [before.primaryKey, now.primaryKey].map(keyInWords);
  if (keys[0] !== keys[1]) return `the primary key has changed from ${keys[0]} to ${keys[1]}`;
  for (const column of now.columns) {
    const was = old.get(column.name);
    if (was === undefined || (was.mapping === column.mapping && was.targetType === column.targetType)) continue;
    return `the column "${column.name}" has changed its type from ${was.sourceType} to ${column.sourceType}`;
  }
  for (const { name } of added) {
    if (now.primaryKey.includes(name)) return `the key column "${name}" is a new one`;
    const twin = dropped.find((other) => other !== name && foldName(other) === foldName(name));
    if (twin !== undefined) return `the column "${twin}" is now "${name}", which SQLite takes for the same name`;
  }
  return null;
}

function keyInWords(key: readonly string[]): string {
  return key.length === 0 ? "none" : `(${key.map((name) => `"${name}"`).join(", ")})`;
}

/**
 * Alters the local table inside the caller's transaction: adds the added columns, empties the dropped ones, which stay as NULL.
 * @returns `null` when that is done; else why it cannot be done and the table must be rebuilt, with nothing altered: a column that was dropped long
 * ago, or that the user added, has the same name and another type.
 */
export function followSchema(database: LocalDatabase, target: string, change: SchemaChange): string | null {
  const local = new Map(listColumns(database, target).map((column) => [foldName(column.name), column]));
  const missing: SourceColumn[] = [];
  for (const column of change.added) {
    const there = local.get(foldName(column.name));
    if (there === undefined) missing.push(column);
    else if (there.name !== column.name || foldName(there.type) !== foldName(declaredType(column.targetType))) {
      return `the local table has a column "${there.name}" of type ${there.type || "none"} already, where the source now has "${column.name}" of type ${column.sourceType}`;
    }
  }
  const table = quoteIdentifier(target);
  for (const { name, targetType } of missing) {
    database.exec(`ALTER TABLE ${table} ADD COLUMN ${quoteIdentifier(name)} ${declaredType(targetType)}`);
  }
  const dropped = change.dropped.filter((name) => local.has(foldName(name))).map(quoteIdentifier);
  if (dropped.length > 0) {
    const empties = dropped.map((name) => `${name} = NULL`).join(", ");
    database.run(`UPDATE ${table} SET ${empties} WHERE ${dropped.map((name) => `${name} IS NOT NULL`).join(" OR ")}`);
  }
  return null;
}
