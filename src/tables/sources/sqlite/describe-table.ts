import { ReplicaError } from "../../../errors.js";
import { type Affinity, affinityOf } from "../../../sqlite/affinity.js";
import { quoteIdentifier } from "../../../sqlite/identifier.js";
import type { SourceColumn, SourceTable } from "../source-table.js";
import type { Session } from "./connections.js";
import { findIndexes, type TableIndex } from "./find-indexes.js";
import { hasAutoincrement } from "./has-autoincrement.js";

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  /** Place in the primary key, from 1; 0 for none. */
  readonly key: number;
}

/** @throws `TABLE_MISSING`; `INVALID_TASK` for a column that is not there. */
export function describeTable(session: Session, wanted: string, only: readonly string[] | undefined): SourceTable {
  const name = findTable(session, wanted);
  const [kind, withoutRowid, strict] = session.all(
    "SELECT type, wr, strict FROM pragma_table_list(?) WHERE schema = 'main'",
    [name],
  )[0] as [string, bigint, bigint];
  const all = listColumns(session, name);
  const indexes = findIndexes(session, name);
  const declaredKey = all.filter(({ key }) => key > 0).sort((a, b) => a.key - b.key);
  // An alias of the rowid has no index of its own; `INTEGER PRIMARY KEY DESC`, for once, is none.
  const [sole] = declaredKey.length === 1 && kind === "table" && withoutRowid === 0n ? declaredKey : [];
  const alias =
    sole !== undefined && /^integer$/i.test(sole.type) && !indexes.some(({ key }) => key) ? sole : undefined;
  const growing = alias !== undefined && hasAutoincrement(createSql(session, name));
  const primaryKey = hasNullKeys(session, name, declaredKey, alias !== undefined || withoutRowid === 1n)
    ? []
    : declaredKey.map((column) => column.name);
  const columns = (only === undefined ? all : pick(all, only, name)).map((column) =>
    describeColumn(column, { strict: strict === 1n, alias, growing, sole: declaredKey.length === 1, indexes }),
  );
  return {
    schema: "",
    name,
    identity: `${session.file}:${kind}:${placeInSchema(session, name)}`,
    columns,
    primaryKey,
    estimatedRows: kind === "table" && withoutRowid === 0n ? largestRowid(session, name, all) : null,
    rangesIndexed: primaryKey.length > 0 && (alias !== undefined || indexes.some(({ key, plain }) => key && plain)),
  };
}

function findTable(session: Session, wanted: string): string {
  for (const name of [wanted, ...(wanted.startsWith("main.") ? [wanted.slice("main.".length)] : [])]) {
    const sql = "SELECT name FROM sqlite_schema WHERE name = ? AND type IN ('table', 'view')";
    if (session.all(sql, [name]).length > 0) return name;
  }
  const similar = "SELECT name FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')";
  const other = session.all(similar, [wanted])[0]?.[0];
  throw new ReplicaError("TABLE_MISSING", `The source has no table "${wanted}".`, {
    hint:
      other === undefined
        ? "Check the name, and that the source is the right file."
        : `There is "${other}": names are exact, capitals included.`,
  });
}

/**
 * The nearest thing to an identity: the table's place in the schema and its first page, which ALTER TABLE keeps and a table that is made again seldom
 * gets. VACUUM numbers both anew, the same way each time, so that at most the first one after a change of the schema means another
 * identity and one needless copy. With `auto_vacuum` first pages move when any table is dropped.
 */
function placeInSchema(session: Session, name: string): string {
  const [rowid, rootPage] = session.all("SELECT rowid, rootpage FROM sqlite_schema WHERE name = ?", [name])[0] ?? [];
  const moves = session.all("PRAGMA auto_vacuum")[0]?.[0] !== 0n;
  return moves ? `${rowid}` : `${rowid}:${rootPage}`;
}

function createSql(session: Session, name: string): string {
  return String(session.all("SELECT sql FROM sqlite_schema WHERE name = ? AND type = 'table'", [name])[0]?.[0] ?? "");
}

function listColumns(session: Session, name: string): Column[] {
  // Hidden columns of virtual tables (1) are no part of `SELECT *`; generated ones (2, 3) are.
  const sql = 'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid';
  return session.all(sql, [name]).map(([column, type, notNull, key]) => ({
    name: String(column),
    type: String(type ?? ""),
    notNull: notNull === 1n,
    key: Number(key),
  }));
}

function pick(all: readonly Column[], only: readonly string[], table: string): Column[] {
  for (const name of only) {
    if (all.some((column) => column.name === name)) continue;
    throw new ReplicaError("INVALID_TASK", `columns: the table "${table}" has no column "${name}"`, {
      hint: `It has ${all.map((column) => column.name).join(", ")}; names are exact, capitals included.`,
    });
  }
  return all.filter((column) => only.includes(column.name));
}

/** SQLite lets NULLs into most primary keys, any number of them: where there are some, the key names no row, so that it is none. */
function hasNullKeys(session: Session, table: string, key: readonly Column[], safe: boolean): boolean {
  const open = safe ? [] : key.filter((column) => !column.notNull);
  return open.some((column) => {
    const sql = `SELECT 1 FROM ${quoteIdentifier(table)} WHERE ${quoteIdentifier(column.name)} IS NULL LIMIT 1`;
    return session.all(sql).length > 0;
  });
}

/** No statistics, but it costs nothing and is right where rows are not deleted. */
function largestRowid(session: Session, table: string, columns: readonly Column[]): number | null {
  const taken = new Set(columns.map((column) => column.name.toLowerCase()));
  const rowid = ["rowid", "_rowid_", "oid"].find((name) => !taken.has(name));
  if (rowid === undefined) return null;
  const largest = session.all(`SELECT max(${rowid}) FROM ${quoteIdentifier(table)}`)[0]?.[0];
  return typeof largest === "bigint" && largest >= 0n ? Number(largest) : 0;
}

interface TableFacts {
  readonly strict: boolean;
  readonly alias: Column | undefined;
  /** The alias is AUTOINCREMENT. */
  readonly growing: boolean;
  readonly sole: boolean;
  readonly indexes: readonly TableIndex[];
}

function describeColumn(column: Column, { strict, alias, growing, sole, indexes }: TableFacts): SourceColumn {
  const affinity = affinityOf(column.type, strict);
  const isAlias = column === alias;
  const first = indexes.filter(({ columns, partial }) => columns[0] === column.name && !partial);
  // A key that is called INTEGER and is no rowid may hold anything, which a rowid here could not.
  const looksLikeAlias = column.key > 0 && sole && !isAlias && /^integer$/i.test(column.type);
  return {
    name: column.name,
    sourceType: column.type,
    nullable: !column.notNull && !isAlias,
    targetType: looksLikeAlias ? "INT" : /^any$/i.test(column.type.trim()) ? (strict ? "" : "NUMERIC") : column.type,
    mapping: affinity.toLowerCase(),
    order: orderOf(column.type, affinity),
    unique: isAlias || first.some((index) => index.unique && index.columns.length === 1),
    increasing: isAlias && growing,
    indexed: isAlias || first.some((index) => index.plain),
  };
}

function orderOf(type: string, affinity: Affinity): SourceColumn["order"] {
  if (/date|time/i.test(type)) return "time";
  // A column of a view that is an expression has no type.
  if (affinity === "BLOB") return type === "" ? "text" : null;
  return affinity === "TEXT" ? "text" : "number";
}
