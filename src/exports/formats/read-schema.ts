import { foldName } from "../../sqlite/identifier.js";
import type { Schema, SchemaObject, SchemaTable } from "./schema.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { parseVirtualTable, type VirtualDeclaration } from "./virtual-table.js";

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
