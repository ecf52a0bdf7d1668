import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { quoteIdentifier } from "../../../src/sqlite/identifier.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { sqliteShell } from "./sqlite-shell.js";

/** The database that the shell makes of a script. */
export function restore(script: Buffer): Database.Database {
  const folder = tempDir();
  const file = join(folder, "dump.sql");
  const path = join(folder, "restored.db");
  writeFileSync(file, script);
  sqliteShell(path, file, ["-bail"]);
  const database = new Database(path, { readonly: true });
  atEnd(() => database.close());
  return database;
}

/** Everything that two equal databases have in common: schema text, settings, and each value with its storage class and its bytes. */
export function contentOf(database: Database.Database, except: readonly string[] = []): Record<string, unknown> {
  const all = (sql: string, ...parameters: unknown[]): unknown[][] =>
    database
      .prepare(sql)
      .raw(true)
      .safeIntegers(true)
      .all(...parameters) as unknown[][];
  const content: Record<string, unknown> = {
    schema: all(
      "SELECT type, name, tbl_name, hex(CAST(sql AS BLOB)) FROM sqlite_schema WHERE name <> 'sqlite_stat4' ORDER BY 1, 2, 3",
    ),
    settings: ["encoding", "page_size", "auto_vacuum", "user_version", "application_id"].map((name) =>
      database.pragma(name, { simple: true }),
    ),
    integrity: database.pragma("integrity_check"),
    foreignKeys: (database.pragma("foreign_key_check") as unknown[]).map((row) => JSON.stringify(row)).sort(),
  };
  const tables = all(
    "SELECT name, wr, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') " +
      "AND name NOT IN ('sqlite_schema', 'sqlite_stat4') ORDER BY name",
  );
  for (const [name, withoutRowid, type] of tables as [string, bigint, string][]) {
    if (except.includes(name)) continue;
    const columns = (all("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", name) as [string][]).map(
      ([column]) => quoteIdentifier(column),
    );
    const taken = columns.includes('"rowid"');
    const key = withoutRowid === 1n || taken || /^sqlite_/.test(name) ? [] : ["rowid"];
    const values = [...key, ...columns].map(
      (column) =>
        `typeof(${column}) || ':' || CASE typeof(${column}) WHEN 'text' THEN hex(CAST(${column} AS BLOB)) WHEN 'blob' THEN hex(${column}) END, ` +
        `CASE WHEN typeof(${column}) NOT IN ('text', 'blob') THEN ${column} END`,
    );
    content[name] = all(`SELECT ${values.join(", ")} FROM ${quoteIdentifier(name)}`)
      .map((row) =>
        row.map((value) => (Object.is(value, -0) ? "-0.0" : typeof value === "bigint" ? `${value}n` : value)),
      )
      .map((row) => JSON.stringify(row.map((value) => (typeof value === "number" ? `r${value}` : value))))
      .sort();
    if (type === "table" && columns.length === 0) throw new Error(`${name} has no columns`);
  }
  return content;
}
