import { quoteIdentifier } from "../../sqlite/identifier.js";

/**
 * SQL that inserts `rows` rows at once, or changes those whose key exists; without a primary key it only inserts. Columns of the table that
 * are not named stay as they are.
 */
export function upsertSql(
  table: string,
  columns: readonly string[],
  primaryKey: readonly string[],
  rows: number,
): string {
  const row = `(${columns.map(() => "?").join(",")})`;
  const insert = `INSERT INTO ${quoteIdentifier(table)} (${columns.map(quoteIdentifier).join(", ")}) VALUES ${Array(rows).fill(row).join(",")}`;
  if (primaryKey.length === 0) return insert;
  const changes = columns
    .filter((column) => !primaryKey.includes(column))
    .map((column) => `${quoteIdentifier(column)} = excluded.${quoteIdentifier(column)}`);
  const action = changes.length === 0 ? "NOTHING" : `UPDATE SET ${changes.join(", ")}`;
  return `${insert} ON CONFLICT (${primaryKey.map(quoteIdentifier).join(", ")}) DO ${action}`;
}
