import { quoteIdentifier } from "../../../sqlite/identifier.js";
import type { SqliteRow, SqliteValue } from "../../../sqlite/sqlite-value.js";
import type { SourceTable } from "../source-table.js";
import type { KeyRange, ReadRequest } from "../table-source.js";
import { readPosition } from "./position-text.js";

interface Sql {
  readonly text: string;
  readonly parameters: readonly SqliteValue[];
}

/** The rows that a request asks for, in its order. */
export function readSql(request: ReadRequest): Sql {
  const { table, keyset, after, above, below, whereNull, skipNulls } = request;
  const conditions: string[] = [];
  const parameters: SqliteValue[] = [];
  const [first] = keyset;
  if (whereNull !== undefined) conditions.push(`${quoteIdentifier(whereNull)} IS NULL`);
  if (first !== undefined && (skipNulls || above || below)) conditions.push(`${quoteIdentifier(first)} IS NOT NULL`);
  for (const [bound, operator] of [
    [above, ">"],
    [below, "<"],
  ] as const) {
    if (bound === undefined || first === undefined) continue;
    conditions.push(`${binary(first)} ${operator}${bound.inclusive ? "=" : ""} ?`);
    parameters.push(readPosition(bound.value));
  }
  if (after !== undefined && keyset.length > 0) {
    const condition = compareSql(keyset, ">", after.map(readPosition));
    conditions.push(condition.text);
    parameters.push(...condition.parameters);
  }
  return { text: selectSql(table, conditions, keyset, request.lastOnly), parameters };
}

/** The rows of a range of primary keys, in the order in which SQLite keeps texts without a collation of their own. */
export function rangeSql(table: SourceTable, range: KeyRange): Sql {
  const columns = table.primaryKey;
  const conditions = columns
    .filter((name) => isNullable(table, name))
    .map((name) => `${quoteIdentifier(name)} IS NOT NULL`);
  const parameters: SqliteValue[] = [];
  for (const [bound, operator] of [
    [range.lower, ">"],
    [range.upper, "<="],
  ] as const) {
    if (bound === null) continue;
    const condition = compareSql(columns, operator, bound);
    conditions.push(condition.text);
    parameters.push(...condition.parameters);
  }
  return { text: selectSql(table, conditions, columns), parameters };
}

export function selectSql(
  table: SourceTable,
  conditions: readonly string[],
  keyset: readonly string[],
  lastOnly = false,
): string {
  const columns = table.columns.map((column) => quoteIdentifier(column.name)).join(", ");
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const direction = lastOnly ? " DESC" : "";
  const order = keyset.length === 0 ? "" : ` ORDER BY ${keyset.map((name) => binary(name) + direction).join(", ")}`;
  return `SELECT ${columns} FROM ${quoteIdentifier(table.name)}${where}${order}${lastOnly ? " LIMIT 1" : ""}`;
}

/** One order for everything, whatever collation the column has: BINARY, which is also the local copy's. */
function binary(name: string): string {
  return `${quoteIdentifier(name)} COLLATE BINARY`;
}

function isNullable(table: SourceTable, name: string): boolean {
  return table.columns.find((column) => column.name === name)?.nullable ?? true;
}

/** Rows after a keyset, or up to it, NULLs first as SQLite orders them. */
function compareSql(keyset: readonly string[], operator: ">" | "<=", values: SqliteRow): Sql {
  if (!values.includes(null)) {
    const text = `(${keyset.map(binary).join(", ")}) ${operator} (${keyset.map(() => "?").join(", ")})`;
    return { text, parameters: values };
  }
  const parameters: SqliteValue[] = [];
  const ways = keyset.map((name, index) => {
    const equal = keyset.slice(0, index).map((other, place) => {
      parameters.push(values[place] ?? null);
      return `${binary(other)} IS ?`;
    });
    const value = values[index] ?? null;
    if (value === null) return [...equal, `${quoteIdentifier(name)} IS NOT NULL`].join(" AND ");
    parameters.push(value);
    return [...equal, `${binary(name)} > ?`].join(" AND ");
  });
  const after = ways.map((way) => `(${way})`).join(" OR ");
  return { text: operator === ">" ? `(${after})` : `NOT (${after})`, parameters };
}
