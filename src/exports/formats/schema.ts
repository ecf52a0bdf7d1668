import { foldName } from "../../tables/local/identifier.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { parseVirtualTable, type VirtualDeclaration } from "./virtual-table.js";

/** An entry of `sqlite_schema` with its SQL. */
export interface SchemaObject {
  readonly type: "table" | "index" | "view" | "trigger";
  readonly name: string;
  /** The table that an index or trigger belongs to. */
  readonly table: string;
  /** As UTF-8, or whatever bytes are in it. */
  readonly sql: Buffer;
}

/**
 * How a table's rows are kept and come back.
 * `rows`: as rows of its own. `content`: a virtual table's, taken from it and put into it. `rebuild`: a full-text index over another table, made
 * anew from that. `none`: a virtual table without rows of its own. `raw`: a virtual table that does not give its rows back, or that we
 * know nothing of; what it keeps is in tables beside it, which go as they are.
 */
export interface SchemaTable extends SchemaObject {
  readonly kind: "rows" | "content" | "rebuild" | "none" | "raw";
  readonly virtual: VirtualDeclaration | null;
  /** The virtual table that keeps its data here. */
  readonly owner: string | null;
}

export interface Schema {
  /** In the order they were made, without SQLite's own. */
  readonly tables: readonly SchemaTable[];
  readonly others: readonly SchemaObject[];
  /** Whether SQLite's own table of this name is there. */
  has(name: "sqlite_sequence" | "sqlite_stat1"): boolean;
}

export function readSchema(reader: SnapshotReader): Schema {
  const sql = `SELECT type, name, tbl_name, ${reader.bytes("sql")} FROM main.sqlite_schema ORDER BY rowid`;
  const objects = reader.rows(sql).map(([type, name, table, text]) => ({
    type: type as SchemaObject["type"],
    name: name as string,
    table: table as string,
    sql: reader.buffer(text),
  }));
  const names = new Set(objects.map(({ name }) => foldName(name)));
  const shadows = new Set(
    reader
      .rows("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'")
      .map(([name]) => foldName(name as string)),
  );
  const own = objects.filter(({ name, sql: text }) => text.length > 0 && !/^sqlite_/i.test(name));
  const tables = own
    .filter(({ type }) => type === "table")
    .map((object): SchemaTable => {
      const folded = foldName(object.name);
      const owner = shadows.has(folded) ? folded.slice(0, folded.lastIndexOf("_")) : null;
      if (!/^CREATE\s+VIRTUAL\s/i.test(object.sql.toString())) return { ...object, kind: "rows", virtual: null, owner };
      const virtual = parseVirtualTable(object.sql.toString());
      return { ...object, kind: kindOf(virtual, names), virtual, owner };
    });
  return {
    tables,
    others: own.filter(({ type }) => type !== "table"),
    has: (name) => names.has(name),
  };
}

function kindOf({ module, options }: VirtualDeclaration, names: ReadonlySet<string>): SchemaTable["kind"] {
  if (/^fts[345]$/.test(module)) {
    const content = options.get("content");
    if (content !== undefined) return content !== "" && names.has(foldName(content)) ? "rebuild" : "raw";
    // Its values only make sense together with their locales, which cannot be asked for.
    return options.has("locale") && options.get("locale") !== "0" ? "raw" : "content";
  }
  if (/^(rtree|rtree_i32|geopoly)$/.test(module)) return "content";
  if (/^(fts5vocab|fts4aux|fts3tokenize|dbstat|sqlite_stmt|bytecode|tables_used)$/.test(module)) return "none";
  return "raw";
}
