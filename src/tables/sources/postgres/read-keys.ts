import type { SqliteRow, SqliteValue } from "../../../sqlite/sqlite-value.js";
import { encodeRow } from "../../row-digest.js";
import type { SourceTable } from "../source-table.js";
import { inBinaryOrder, keyPart } from "./key-part.js";
import { sqlState } from "./map-postgres-error.js";
import { quoteName, quoteTable } from "./quote-name.js";
import type { TextRow } from "./row-stream.js";
import { quantities, selectList } from "./select-list.js";
import type { Session } from "./session.js";
import { columnOf } from "./table-columns.js";
import { ruleOf } from "./type-rules.js";
import { valueReader } from "./value-reader.js";

/** The rows with these local keys. */
export async function readKeys(session: Session, table: SourceTable, keys: readonly SqliteRow[]): Promise<SqliteRow[]> {
  const possible = keys.filter((key) => table.primaryKey.every((name, part) => mayBe(table, name, key[part] ?? null)));
  if (possible.length === 0) return [];
  await session.query("SAVEPOINT keys");
  let rows: TextRow[];
  try {
    rows = await lookUp(session, table, possible, true);
  } catch (error) {
    // Somebody wrote a key into the local table that is no value of the source's type.
    if (sqlState(error)?.startsWith("22") !== true) throw error;
    await session.query("ROLLBACK TO SAVEPOINT keys");
    rows = await lookUp(session, table, possible, false);
  }
  const readers = quantities(table).map((quantity) => valueReader(quantity, true, { lossyValues: 0 }));
  const keyIndexes = table.primaryKey.map((name) => table.columns.indexOf(columnOf(table, name)));
  const wanted = new Set(possible.map((key) => encodeRow(key)));
  const values = rows.map((row) => {
    return row.map((text, index): SqliteValue => (text === null ? null : (readers[index]?.(text) ?? text)));
  });
  // Equal at the source need not be the same here: 1.0 and 1.00.
  return values.filter((row) => wanted.has(encodeRow(keyIndexes.map((index) => row[index] ?? null))));
}

/** Whether the column has values of this kind at all. */
function mayBe(table: SourceTable, name: string, value: SqliteValue): boolean {
  switch (ruleOf(columnOf(table, name).mapping).targetType) {
    case "INTEGER":
      return typeof value === "bigint";
    case "REAL":
      return typeof value === "number" || value === "NaN";
    case "TEXT":
      return typeof value === "string";
    case "BLOB":
      return value instanceof Uint8Array;
  }
}

/** @param indexed compares in the columns' own types, so that the primary key's index serves; else as the local copy has them. */
async function lookUp(
  session: Session,
  table: SourceTable,
  keys: readonly SqliteRow[],
  indexed: boolean,
): Promise<TextRow[]> {
  const { utf8 } = session.info;
  const arrays: string[] = [];
  const conditions: string[] = [];
  const values = table.primaryKey.map((name, part) => {
    const { mapping, sourceType } = columnOf(table, name);
    const rule = ruleOf(mapping);
    const own = indexed && rule.selectsSource;
    const local = keyPart(table, name, utf8, false);
    const type = own ? "text" : local.type;
    arrays.push(`$${part + 1}::${type}[]`);
    const given = own
      ? `k.k${part}::${sourceType}`
      : local.type === "text"
        ? inBinaryOrder(`k.k${part}`, utf8)
        : `k.k${part}`;
    conditions.push(`${own ? `t.${quoteName(name)}` : local.expression} = ${given}`);
    return keys.map((key) => {
      const value = key[part] ?? null;
      if (value === null) return null;
      const text = value instanceof Uint8Array ? `\\x${Buffer.from(value).toString("hex")}` : String(value);
      return own && rule.toSource !== undefined ? rule.toSource(text) : text;
    });
  });
  const names = table.primaryKey.map((_, part) => `k${part}`).join(", ");
  const stream = session.stream(
    `SELECT ${selectList(table)} FROM unnest(${arrays.join(", ")}) AS k(${names}) JOIN ${quoteTable(table)} t ON ${conditions.join(" AND ")}`,
    values.map(arrayLiteral),
  );
  const rows: TextRow[] = [];
  for (;;) {
    const taken = await stream.take(keys.length + 1);
    if (taken.rows.length === 0) return rows;
    for (const row of taken.rows) rows.push(row);
  }
}

function arrayLiteral(values: readonly (string | null)[]): string {
  const items = values.map((value) => {
    return value === null ? "NULL" : `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  });
  return `{${items.join(",")}}`;
}
