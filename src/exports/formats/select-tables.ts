import { ReplicaError } from "../../errors.js";
import { foldName } from "../../sqlite/identifier.js";
import type { DumpSelection } from "./dump-selection.js";
import type { Schema, SchemaTable } from "./schema.js";

/** Of a name in a message: it may come from anywhere. */
const MAX_SHOWN = 200;

/** What of a schema is wanted. */
export interface SelectedTables {
  /** In the schema's order. A virtual table comes with the tables that keep its data where those go as they are. */
  readonly tables: readonly SchemaTable[];
  /** Whether that is the whole database. */
  readonly whole: boolean;
}

/** @throws `TABLE_MISSING` for a name that is no table, or one that only keeps another's data. */
export function selectTables(schema: Schema, selection: DumpSelection): SelectedTables {
  const named = "table" in selection ? [selection.table] : selection.tables;
  const except = "table" in selection ? [] : (selection.except ?? []);
  const visible = schema.tables.filter(({ owner }) => owner === null);
  const names = new Map(visible.map((table) => [foldName(table.name), table]));
  const chosen = new Set<SchemaTable>(named === "all" ? visible : named.map((name) => find(names, schema, name)));
  for (const name of except) {
    const table = names.get(foldName(name));
    if (table !== undefined) chosen.delete(table);
  }
  const raw = new Set([...chosen].filter(({ kind }) => kind === "raw").map(({ name }) => foldName(name)));
  return {
    tables: schema.tables.filter((table) => chosen.has(table) || (table.owner !== null && raw.has(table.owner))),
    whole: named === "all" && chosen.size === visible.length,
  };
}

function find(names: ReadonlyMap<string, SchemaTable>, schema: Schema, name: string): SchemaTable {
  const table = names.get(foldName(name));
  if (table !== undefined) return table;
  const isView = schema.others.some((other) => other.type === "view" && foldName(other.name) === foldName(name));
  throw new ReplicaError(
    "TABLE_MISSING",
    `There is no table ${JSON.stringify(name.slice(0, MAX_SHOWN))} to export${isView ? ", but a view" : ""}.`,
    {
      hint: isView ? "Export the tables that it reads." : "Check the name.",
    },
  );
}
