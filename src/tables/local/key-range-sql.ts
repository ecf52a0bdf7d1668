import { quoteIdentifier } from "../../sqlite/identifier.js";
import type { SqliteValue } from "../../sqlite/sqlite-value.js";
import type { KeyRange } from "../sources/table-source.js";

/** A condition that goes after `WHERE`, with its parameters. */
export interface RangeSql {
  readonly where: string;
  readonly params: readonly SqliteValue[];
}

/** The range as SQL: row values, so that SQLite walks the primary key's index from one bound to the other. */
export function keyRangeSql(primaryKey: readonly string[], range: KeyRange): RangeSql {
  const columns = `(${primaryKey.map(quoteIdentifier).join(", ")})`;
  const marks = `(${primaryKey.map(() => "?").join(", ")})`;
  const conditions: string[] = [];
  const params: SqliteValue[] = [];
  for (const [bound, operator] of [
    [range.lower, ">"],
    [range.upper, "<="],
  ] as const) {
    if (bound === null) continue;
    if (bound.length !== primaryKey.length) throw new TypeError("A bound needs a value for each column of the key");
    conditions.push(`${columns} ${operator} ${marks}`);
    params.push(...bound);
  }
  return { where: conditions.length === 0 ? "TRUE" : conditions.join(" AND "), params };
}
