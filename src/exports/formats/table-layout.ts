import { affinityOf } from "../../sqlite/affinity.js";
import { foldName, quoteIdentifier } from "../../sqlite/identifier.js";
import { type KeyColumn, KeyCursor } from "./key-cursor.js";
import type { RowCursor } from "./row-cursor.js";
import { RowidCursor } from "./rowid-cursor.js";
import type { SchemaTable } from "./schema.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { sumSql } from "./sql-text.js";
import type { ColumnHint, likelyCaseSql } from "./type-case.js";

/** What a table has to be read and written by. */
export interface TableLayout {
  /** Those that `SELECT *` gives. */
  readonly columns: readonly LayoutColumn[];
  /** A name for the rowid that no column has taken, where no column is the rowid. */
  readonly rowid: string | null;
  /** `null` where no key can be named: a table with columns `rowid`, `_rowid_` and `oid`. */
  readonly cursor: RowCursor | null;
}

export interface LayoutColumn {
  readonly name: string;
  /** Calculated: shown, but not written. */
  readonly generated: boolean;
  readonly hint: ColumnHint;
}

/** Bytes that a value takes beside its own: a comma, `NULL`. */
const VALUE_BYTES = 6;
const NUMBER_BYTES = 8;

export function describeLayout(reader: SnapshotReader, table: SchemaTable): TableLayout {
  const info = reader.rows("SELECT name, hidden, pk, type FROM pragma_table_xinfo(?, 'main') ORDER BY cid", [
    table.name,
  ]);
  const [listed] = reader.rows("SELECT wr, strict FROM pragma_table_list WHERE schema = 'main' AND name = ?", [
    table.name,
  ]);
  const key = primaryKey(reader, table.name);
  const withoutRowid = listed?.[0] === 1n;
  // An INTEGER PRIMARY KEY is the rowid, and has no index of its own.
  const isPlain = table.virtual === null && !withoutRowid;
  const alias =
    isPlain && key.length === 0 ? (info.find(([, , pk]) => pk === 1n)?.[0] as string | undefined) : undefined;
  const languageId = table.virtual?.options.get("languageid");
  const columns = info
    .filter(([name, hidden]) => hidden !== 1n || (languageId !== undefined && name === languageId))
    .map(([name, hidden, , type]) => ({
      name: name as string,
      generated: hidden === 2n || hidden === 3n,
      hint: hintOf(table, String(type), name === alias, listed?.[1] === 1n),
    }));
  const sizes = { bytes: bytesSql(columns), lengths: lengthsSql(columns) };
  const from = `main.${quoteIdentifier(table.name)} AS v`;
  if (table.virtual !== null) return virtualLayout(reader, table, columns, from, sizes);
  if (withoutRowid) {
    return { columns, rowid: null, cursor: new KeyCursor(reader, table.name, key, sizes.bytes) };
  }
  const taken = new Set(info.map(([name]) => foldName(name as string)));
  const rowid = ["rowid", "_rowid_", "oid"].find((name) => !taken.has(name)) ?? null;
  const name = alias ?? rowid;
  const cursor =
    name === null ? null : new RowidCursor(reader, `${from} NOT INDEXED`, `v.${quoteIdentifier(name)}`, sizes);
  return { columns, rowid: alias === undefined ? rowid : null, cursor };
}

function virtualLayout(
  reader: SnapshotReader,
  table: SchemaTable,
  columns: readonly LayoutColumn[],
  from: string,
  sizes: ConstructorParameters<typeof RowidCursor>[3],
): TableLayout {
  if (!/tree|geopoly/.test(table.virtual?.module ?? "")) {
    const cursor = new RowidCursor(reader, from, "v.rowid", sizes);
    return { columns, rowid: "rowid", cursor };
  }
  // An R*Tree finds one row fast, but has no order: the table in which it keeps its row numbers has one.
  const [first] = columns;
  const isGeopoly = table.virtual?.module === "geopoly";
  const id = isGeopoly || first === undefined ? "v.rowid" : `v.${quoteIdentifier(first.name)}`;
  const joined = `main.${quoteIdentifier(`${table.name}_rowid`)} AS s CROSS JOIN ${from} ON ${id} = s.rowid`;
  const cursor = new RowidCursor(reader, joined, "s.rowid", sizes);
  return { columns, rowid: isGeopoly ? "rowid" : null, cursor };
}

function hintOf(table: SchemaTable, type: string, isRowid: boolean, strict: boolean): ColumnHint {
  if (isRowid) return "ROWID";
  // A virtual table gives what it likes, whatever types it names.
  return table.virtual === null ? affinityOf(type, strict) : "BLOB";
}

/** The columns of the primary key's index, if it has one. */
function primaryKey(reader: SnapshotReader, table: string): readonly KeyColumn[] {
  const found = reader.rows(
    "SELECT x.name, x.coll, x.desc FROM pragma_index_list(?, 'main') AS i, pragma_index_xinfo(i.name, 'main') AS x " +
      "WHERE i.origin = 'pk' AND x.key ORDER BY x.seqno",
    [table],
  );
  return found.map(([name, collation, descending]) => ({
    name: name as string,
    collation: collation as string,
    descending: descending === 1n,
  }));
}

/** Lengths are known without reading what is long; those of numbers are not worth making text of them. */
function bytesSql(columns: readonly LayoutColumn[]): string {
  const lengths = columns.flatMap(({ name, hint }) => {
    if (hint === "ROWID") return [];
    const column = `v.${quoteIdentifier(name)}`;
    const length = `ifnull(octet_length(${column}),0)`;
    if (hint !== "INTEGER" && hint !== "REAL") return [length];
    return [`CASE typeof(${column}) WHEN '${hint.toLowerCase()}' THEN ${NUMBER_BYTES} ELSE ${length} END`];
  });
  return `(${sumSql(lengths)}+${columns.length * VALUE_BYTES})`;
}

/** See {@link likelyCaseSql} for text and BLOBs in columns for numbers. */
function lengthsSql(columns: readonly LayoutColumn[]): string {
  const long = columns.filter(({ hint }) => hint === "TEXT" || hint === "BLOB" || hint === "NUMERIC");
  return sumSql(long.map(({ name }) => `ifnull(octet_length(v.${quoteIdentifier(name)}),0)`));
}
