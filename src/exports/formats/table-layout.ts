import { foldName, quoteIdentifier } from "../../tables/local/identifier.js";
import { type KeyColumn, KeyCursor } from "./key-cursor.js";
import type { RowCursor } from "./row-cursor.js";
import { RowidCursor } from "./rowid-cursor.js";
import type { SchemaTable } from "./schema.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { sumSql } from "./sql-text.js";

/** What a table has to be read and written by. */
export interface TableLayout {
  /** Those that `SELECT *` gives. */
  readonly columns: readonly LayoutColumn[];
  /** A name for the rowid that no column has taken, where it is not a column anyway. */
  readonly rowid: string | null;
  /** Whether rows only keep their rowid if it is written. */
  readonly rowidNeeded: boolean;
  /** `null` where no key can be named: a table with columns `rowid`, `_rowid_` and `oid`. */
  readonly cursor: RowCursor | null;
}

export interface LayoutColumn {
  readonly name: string;
  /** Calculated: shown, but not written. */
  readonly generated: boolean;
}

/** Bytes that a value takes beside its own: a comma, `NULL`. */
const VALUE_BYTES = 6;

export function describeLayout(reader: SnapshotReader, table: SchemaTable): TableLayout {
  const info = reader.rows("SELECT name, hidden, pk, type FROM pragma_table_xinfo(?, 'main') ORDER BY cid", [
    table.name,
  ]);
  const languageId = table.virtual?.options.get("languageid");
  const columns = info
    .filter(([name, hidden]) => hidden !== 1n || (languageId !== undefined && name === languageId))
    .map(([name, hidden]) => ({ name: name as string, generated: hidden === 2n || hidden === 3n }));
  const bytes = bytesSql(columns.map(({ name }) => name));
  const from = `main.${quoteIdentifier(table.name)} AS v`;
  if (table.virtual !== null) return virtualLayout(reader, table, columns, from, bytes);

  const key = primaryKey(reader, table.name);
  if (key.withoutRowid) {
    return { columns, rowid: null, rowidNeeded: false, cursor: new KeyCursor(reader, table.name, key.columns, bytes) };
  }
  const taken = new Set(info.map(([name]) => foldName(name as string)));
  const rowid = ["rowid", "_rowid_", "oid"].find((name) => !taken.has(name)) ?? null;
  // An INTEGER PRIMARY KEY is the rowid, and has no index of its own.
  const alias = key.columns.length === 0 ? info.find(([, , pk]) => pk === 1n) : undefined;
  const name = alias === undefined ? rowid : (alias[0] as string);
  const cursor =
    name === null ? null : new RowidCursor(reader, `${from} NOT INDEXED`, `v.${quoteIdentifier(name)}`, bytes);
  return {
    columns,
    rowid: alias === undefined ? rowid : null,
    rowidNeeded: alias === undefined && rowid !== null,
    cursor,
  };
}

function virtualLayout(
  reader: SnapshotReader,
  table: SchemaTable,
  columns: readonly LayoutColumn[],
  from: string,
  bytes: string,
): TableLayout {
  if (!/tree|geopoly/.test(table.virtual?.module ?? "")) {
    const cursor = new RowidCursor(reader, from, "v.rowid", bytes);
    return { columns, rowid: "rowid", rowidNeeded: true, cursor };
  }
  // An R*Tree finds one row fast, but has no order: the table in which it keeps its row numbers has one.
  const [first] = columns;
  const isGeopoly = table.virtual?.module === "geopoly";
  const id = isGeopoly || first === undefined ? "v.rowid" : `v.${quoteIdentifier(first.name)}`;
  const joined = `main.${quoteIdentifier(`${table.name}_rowid`)} AS s CROSS JOIN ${from} ON ${id} = s.rowid`;
  const cursor = new RowidCursor(reader, joined, "s.rowid", bytes);
  return { columns, rowid: isGeopoly ? "rowid" : null, rowidNeeded: isGeopoly, cursor };
}

/** The columns of the primary key's index, if it has one. */
function primaryKey(
  reader: SnapshotReader,
  table: string,
): { readonly withoutRowid: boolean; readonly columns: readonly KeyColumn[] } {
  const found = reader.rows(
    "SELECT x.name, x.coll, x.desc FROM pragma_index_list(?, 'main') AS i, pragma_index_xinfo(i.name, 'main') AS x " +
      "WHERE i.origin = 'pk' AND x.key ORDER BY x.seqno",
    [table],
  );
  const withoutRowid =
    reader.value("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", [table]) === 1n;
  return {
    withoutRowid,
    columns: found.map(([name, collation, descending]) => ({
      name: name as string,
      collation: collation as string,
      descending: descending === 1n,
    })),
  };
}

/** Lengths are known without reading what is long. */
function bytesSql(columns: readonly string[]): string {
  const lengths = columns.map((name) => `ifnull(octet_length(v.${quoteIdentifier(name)}),0)`);
  return `${sumSql(lengths)}+${columns.length * VALUE_BYTES}`;
}
