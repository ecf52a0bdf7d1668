import { foldName, quoteIdentifier } from "../../tables/local/identifier.js";
import type { Schema, SchemaTable } from "./schema.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { forShell } from "./sql-statement.js";
import { concatSql, sqlText } from "./sql-text.js";
import type { ValueFormat } from "./value-format.js";

/** What stands before the first table. @param raw whether {@link rawDeclarations} has any. */
export function header(reader: SnapshotReader, whole: boolean, raw: boolean): string {
  const lines: string[] = [];
  // Shells since 3.42 refuse to write into sqlite_schema unless told.
  if (raw) lines.push(".dbconfig defensive off");
  const setting = (name: string): unknown => reader.value(`PRAGMA main.${name}`);
  // An empty database still takes these. Others than UTF-8 hold text as other bytes, so a part needs it too.
  if (reader.utf16) lines.push(`PRAGMA encoding='${setting("encoding")}';`);
  if (whole) {
    if (setting("page_size") !== 4096n) lines.push(`PRAGMA page_size=${setting("page_size")};`);
    if (setting("auto_vacuum") !== 0n) lines.push(`PRAGMA auto_vacuum=${setting("auto_vacuum")};`);
  }
  // Rows that were let in are let in again.
  lines.push("PRAGMA foreign_keys=OFF;", "PRAGMA ignore_check_constraints=ON;", "BEGIN TRANSACTION;");
  if (whole) {
    for (const name of ["user_version", "application_id"]) {
      if (setting(name) !== 0n) lines.push(`PRAGMA ${name}=${setting(name)};`);
    }
  }
  return `${lines.join("\n")}\n`;
}

export function footer(raw: boolean): string {
  return `COMMIT;\n${raw ? "PRAGMA writable_schema=RESET;\n" : ""}PRAGMA ignore_check_constraints=OFF;\n`;
}

/** The last number given, per AUTOINCREMENT table. @param tables only those; `null` for all. */
export function sequences(
  reader: SnapshotReader,
  schema: Schema,
  tables: readonly SchemaTable[] | null,
  values: ValueFormat,
): string | Buffer {
  if (!schema.has("sqlite_sequence")) return "";
  const kept = tables?.map(({ name }) => sqlText(name));
  if (kept !== undefined && kept.length === 0) return "";
  const where = kept === undefined ? "" : `WHERE name COLLATE NOCASE IN (${kept.join(",")})`;
  const rows = valuesText(reader, "sqlite_sequence", ["name", "seq"], where, values);
  if (kept !== undefined && rows.length === 0) return "";
  // It is there once a table has needed it, even where none is left that does.
  const isNeeded = (tables ?? schema.tables).some(({ sql }) => /\bAUTOINCREMENT\b/i.test(sql.toString()));
  const probe = isNeeded
    ? ""
    : `CREATE TABLE "starfish-replica sequence"(id INTEGER PRIMARY KEY AUTOINCREMENT);\nDROP TABLE "starfish-replica sequence";\n`;
  return Buffer.concat([
    Buffer.from(`${probe}DELETE FROM sqlite_sequence;\n`),
    insertText("sqlite_sequence(name,seq)", rows),
  ]);
}

/** What ANALYZE found, for databases that had it run. `sqlite_stat4`, which not every SQLite has, is left out. */
export function statistics(
  reader: SnapshotReader,
  schema: Schema,
  whole: boolean,
  values: ValueFormat,
): string | Buffer {
  if (!whole || !schema.has("sqlite_stat1")) return "";
  const rows = valuesText(reader, "sqlite_stat1", ["tbl", "idx", "stat"], "", values);
  return Buffer.concat([
    Buffer.from("ANALYZE sqlite_master;\nDELETE FROM sqlite_stat1;\n"),
    insertText("sqlite_stat1(tbl,idx,stat)", rows),
  ]);
}

/** What a full-text index was told to do, such as its page size: FTS5 keeps that beside its content. */
export function indexSettings(reader: SnapshotReader, table: SchemaTable, values: ValueFormat): Buffer {
  if (table.virtual?.module !== "fts5") return Buffer.alloc(0);
  const name = quoteIdentifier(table.name);
  const config = `${table.name}_config`;
  const rows = reader.rows(
    `SELECT ${["k", "v"].map((column) => reader.bytes((values.careful ?? values.quick)(`v.${column}`, "NUMERIC"))).join(", ")} ` +
      `FROM main.${quoteIdentifier(config)} AS v WHERE v.k <> 'version' ORDER BY v.k`,
  );
  const into = forShell(`${name}(${name},rank)`);
  return Buffer.from(
    rows.map(([k, v]) => `INSERT INTO ${into} VALUES(${reader.buffer(k)},${reader.buffer(v)});\n`).join(""),
  );
}

/** Declarations that are put where SQLite keeps them, because making them would make their tables anew. */
export function rawDeclarations(raw: readonly SchemaTable[]): Buffer {
  if (raw.length === 0) return Buffer.alloc(0);
  const lines = raw.map(({ name, sql }) => {
    const quoted = forShell(sqlText(name));
    return Buffer.concat([
      Buffer.from(`INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql) VALUES('table',${quoted},${quoted},0,`),
      Buffer.from(forShell(sqlText(sql.toString("latin1"))), "latin1"),
      Buffer.from(");\n"),
    ]);
  });
  return Buffer.concat([Buffer.from("PRAGMA writable_schema=ON;\n"), ...lines]);
}

function valuesText(
  reader: SnapshotReader,
  table: string,
  columns: readonly string[],
  where: string,
  values: ValueFormat,
): Buffer {
  const row = concatSql(
    columns.flatMap((name, index) => [
      ...(index === 0 ? [] : ["','"]),
      (values.careful ?? values.quick)(`v.${name}`, "TEXT"),
    ]),
  );
  const text = reader.bytes(`group_concat(${row}, ${sqlText("),\n(")})`);
  return reader.buffer(reader.value(`SELECT ${text} FROM main.${foldName(table)} AS v ${where}`));
}

function insertText(into: string, rows: Buffer): Buffer {
  if (rows.length === 0) return rows;
  return Buffer.concat([Buffer.from(`INSERT INTO ${into} VALUES\n(`), rows, Buffer.from(");\n")]);
}
