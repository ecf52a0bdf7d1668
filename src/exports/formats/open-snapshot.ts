import type Database from "better-sqlite3";
import { mapSqliteError } from "../../sqlite/map-sqlite-error.js";
import type { Dump } from "./dump-format.js";
import type { DumpSelection } from "./dump-selection.js";
import { readSchema } from "./read-schema.js";
import type { Schema } from "./schema.js";
import { type SelectedTables, selectTables } from "./select-tables.js";
import { SnapshotReader } from "./snapshot-reader.js";

/** What every format begins with. */
export function openSnapshot(
  database: Database.Database,
  selection: DumpSelection,
  build: (reader: SnapshotReader, selected: SelectedTables, schema: Schema) => Dump,
): Dump {
  try {
    const reader = new SnapshotReader(database);
    const schema = readSchema(reader);
    return build(reader, selectTables(schema, selection), schema);
  } catch (error) {
    throw mapSqliteError(error, "Reading the schema to export");
  }
}
