import type { SourceTable } from "../source-table.js";
import { quoteName } from "./quote-name.js";
import { columnOf } from "./table-columns.js";
import { ruleOf } from "./type-rules.js";

/** A key column in the order that SQLite gives its local values. */
export interface KeyPart {
  readonly expression: string;
  readonly type: "bigint" | "double precision" | "uuid" | "bytea" | "text" | "date" | "timestamp" | "timestamptz";
}

/** @param own whether the column's own type may be compared, where that has SQLite's order. */
export function keyPart(table: SourceTable, name: string, utf8: boolean, own = true): KeyPart {
  const column = `t.${quoteName(name)}`;
  const { mapping } = columnOf(table, name);
  const rule = ruleOf(mapping);
  if (rule.keyType !== undefined && own) return { expression: column, type: rule.keyType };
  if (rule.usualKeyType !== undefined && own && table.rangesIndexed) {
    return { expression: column, type: rule.usualKeyType };
  }
  switch (rule.targetType) {
    case "INTEGER":
      return { expression: rule.value(column), type: "bigint" };
    case "REAL":
      return { expression: rule.value(column), type: "double precision" };
    case "BLOB":
      return { expression: column, type: "bytea" };
    case "TEXT":
      // An index in another collation is of no use: then `rangesIndexed` is false.
      if (table.rangesIndexed && mapping === "text" && own) return { expression: column, type: "text" };
      return { expression: inBinaryOrder(`(${rule.value(column)})`, utf8), type: "text" };
  }
}

/** Text in the order of its UTF-8 bytes, whatever the column's collation and the database's encoding. */
export function inBinaryOrder(text: string, utf8: boolean): string {
  return utf8 ? `${text} COLLATE "C"` : `convert_to(${text}, 'UTF8')`;
}
