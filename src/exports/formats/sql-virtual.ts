import { quoteIdentifier } from "../../sqlite/identifier.js";
import type { SchemaTable } from "./schema.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { forShell } from "./sql-statement.js";
import { sqlText } from "./sql-text.js";
import type { ValueFormat } from "./value-format.js";

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
