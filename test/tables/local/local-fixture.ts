import { join } from "node:path";
import { LocalDatabase, type LocalDatabaseOptions } from "../../../src/tables/local/local-database.js";
import type { SourceColumn, SourceTable } from "../../../src/tables/sources/source-table.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

/** Opens a local database in a folder of its own, or at `path`; closed when the test ends. */
export async function openLocal(path?: string, options?: LocalDatabaseOptions): Promise<LocalDatabase> {
  const database = await LocalDatabase.open(path ?? join(tempDir(), "local.db"), options);
  atEnd(() => database.close());
  return database;
}

/** A source's table: `columns` by name with their target type, which is their mapping too. */
export function sourceTable(
  columns: Readonly<Record<string, string>>,
  primaryKey: readonly string[],
  other: Partial<SourceTable> = {},
): SourceTable {
  return {
    schema: "public",
    name: "things",
    identity: "1",
    columns: Object.entries(columns).map(([name, type]) => sourceColumn(name, type)),
    primaryKey,
    estimatedRows: null,
    rangesIndexed: true,
    ...other,
  };
}

export function sourceColumn(name: string, targetType: string, other: Partial<SourceColumn> = {}): SourceColumn {
  return {
    name,
    sourceType: targetType.toLowerCase(),
    nullable: true,
    targetType,
    mapping: targetType.toLowerCase(),
    order: null,
    unique: false,
    increasing: false,
    indexed: false,
    ...other,
  };
}
