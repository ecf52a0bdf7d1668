import type { SourceTable } from "../source-table.js";
import { quoteName, quoteTable } from "./quote-name.js";
import type { Session } from "./session.js";
import { columnOf } from "./table-columns.js";
import { ruleOf } from "./type-rules.js";
import { unusualTimeSql } from "./usual-time.js";

/** Collations whose order is that of the UTF-8 bytes. */
const BINARY_COLLATION = /^(C|POSIX|C\.utf-?8|PG_C_UTF8)$/i;

/**
 * Whether the primary key's index gives rows in the order of the local copy (`SourceTable.rangesIndexed`). For times this depends on the rows: it
 * is looked up where an index finds an unusual one at once, and taken as `false` where that would cost a scan each time. A row with such a
 * time that comes later is a difference that is looked at in vain until the table is described again, and nothing worse.
 * @param collations by column.
 */
export async function hasIndexedRanges(
  session: Session,
  table: SourceTable,
  collations: ReadonlyMap<string, string>,
): Promise<boolean> {
  if (table.primaryKey.length === 0) return false;
  const times: string[] = [];
  for (const name of table.primaryKey) {
    const { mapping, indexed } = columnOf(table, name);
    const { keyType, usualKeyType } = ruleOf(mapping);
    if (usualKeyType !== undefined && indexed) times.push(name);
    else if (mapping === "text") {
      if (!session.info.utf8 || !BINARY_COLLATION.test(collations.get(name) ?? "")) return false;
    } else if (keyType === undefined) return false;
  }
  for (const name of times) {
    const column = `t.${quoteName(name)}`;
    for (const condition of unusualTimeSql(column)) {
      // The order makes the planner take the index even where it expects to find one soon.
      const sql = `SELECT FROM ${quoteTable(table)} t WHERE ${condition} ORDER BY ${column} LIMIT 1`;
      if ((await session.query(sql)).length > 0) return false;
    }
  }
  return true;
}
