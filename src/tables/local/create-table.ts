import { ReplicaError } from "../../errors.js";
import { columnNamesMistake, quoteIdentifier } from "../../sqlite/identifier.js";
import type { SourceTable } from "../sources/source-table.js";
import { declaredType } from "./declared-type.js";
import type { LocalDatabase } from "./local-database.js";

/**
 * Makes an empty table like the source's: its columns, its primary key, and nothing else that could refuse a row. A single key column
 * of type INTEGER becomes the rowid.
 * @throws `INVALID_TASK` where SQLite cannot tell two columns apart; `LOCAL_DATABASE` where the name is taken.
 */
export function createTable(database: LocalDatabase, name: string, table: SourceTable): void {
  const mistake = columnNamesMistake(table.columns.map((column) => column.name));
  if (mistake !== null) throw new ReplicaError("INVALID_TASK", `sourceTable: the table "${table.name}" ${mistake}`);
  const { primaryKey } = table;
  const parts = table.columns.map((column) => {
    const notNull = primaryKey.includes(column.name) ? " NOT NULL" : "";
    return `${`${quoteIdentifier(column.name)} ${declaredType(column.targetType)}`.trimEnd()}${notNull}`;
  });
  if (primaryKey.length > 0) parts.push(`PRIMARY KEY (${primaryKey.map(quoteIdentifier).join(", ")})`);
  database.exec(`CREATE TABLE ${quoteIdentifier(name)} (\n  ${parts.join(",\n  ")}\n)`);
}

/** Whether the name is taken, by a table, a view or an index. */
export function tableExists(database: LocalDatabase, name: string): boolean {
  const sql = "SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND type <> 'trigger'";
  return database.get(sql, name) !== undefined;
}

/** Names and declared types of a table's columns as they are in the file, in their order; empty where there is no such table. */
export function listColumns(database: LocalDatabase, name: string): readonly { name: string; type: string }[] {
  return database.all("SELECT name, type FROM pragma_table_info(?)", name);
}
