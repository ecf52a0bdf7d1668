import type { SourceColumn, SourceTable } from "../source-table.js";
import type { KeyRange } from "../table-source.js";
import { type RangeSql, rangeSql } from "./key-range-sql.js";
import { quoteName, quoteTable } from "./quote-name.js";
import { ruleOf } from "./type-rules.js";

// PostgreSQL takes at most 100 arguments.
const MAX_FIELDS = 90;

/** SQL that does what `row-digest.ts` says, with the columns `rows`, `first` and `second`. */
export function digestSql(
  table: SourceTable,
  range: KeyRange,
  utf8: boolean,
): { text: string; values: RangeSql["values"] } {
  const { where, values } = rangeSql(table, range, utf8);
  const inner = table.columns.map((column, index) => {
    return `${ruleOf(column.mapping).value(`t.${quoteName(column.name)}`)} AS c${index}`;
  });
  const row = joined(table.columns.map((column, index) => fieldSql(column, `c${index}`, utf8)));
  // OFFSET 0 keeps the planner from computing a value again for each place where it is used.
  const text = `SELECT count(*) AS rows,
    coalesce(sum((h >> 32) & 4294967295), 0) AS first,
    coalesce(sum(h & 4294967295), 0) AS second
  FROM (SELECT ('x' || left(md5(${utf8 ? row : `convert_to(${row}, 'UTF8')`}), 16))::bit(64)::bigint AS h
    FROM (SELECT ${inner.join(", ")} FROM ${quoteTable(table)} t WHERE ${where} OFFSET 0) v OFFSET 0) d`;
  return { text, values };
}

function fieldSql(column: SourceColumn, value: string, utf8: boolean): string {
  switch (ruleOf(column.mapping).targetType) {
    case "INTEGER":
      return `coalesce('i' || ${value}, 'n')`;
    case "REAL":
      // Adding 0 makes negative zero zero.
      return `coalesce(CASE WHEN ${value} = 'NaN' THEN 't3:NaN' ELSE 'r' || encode(float8send(${value}::float8 + 0), 'hex') END, 'n')`;
    case "BLOB":
      return `coalesce('b' || encode(${value}, 'hex'), 'n')`;
    case "TEXT": {
      const bytes = utf8 ? value : `convert_to(${value}, 'UTF8')`;
      return `coalesce('t' || octet_length(${bytes}) || ':' || ${value}, 'n')`;
    }
  }
}

function joined(fields: readonly string[]): string {
  const parts: string[] = [];
  for (let start = 0; start < fields.length; start += MAX_FIELDS) {
    parts.push(`concat_ws(',', ${fields.slice(start, start + MAX_FIELDS).join(", ")})`);
  }
  return parts.length <= 1 ? (parts[0] ?? "''") : joined(parts);
}
