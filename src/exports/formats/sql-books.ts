import type { Schema, SchemaTable } from "./schema.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { concatSql, sqlText } from "./sql-text.js";
import { sqlTokens } from "./sql-tokens.js";
import type { ValueFormat } from "./value-format.js";

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
  const isNeeded = (tables ?? schema.tables).some(({ sql }) =>
    sqlTokens(sql.toString()).some((token) => /^AUTOINCREMENT$/i.test(token)),
  );
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
  return reader.buffer(reader.value(`SELECT ${text} FROM main.${table} AS v ${where}`));
}

function insertText(into: string, rows: Buffer): Buffer {
  if (rows.length === 0) return rows;
  return Buffer.concat([Buffer.from(`INSERT INTO ${into} VALUES\n(`), rows, Buffer.from(");\n")]);
}
