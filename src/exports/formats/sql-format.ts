import { foldName, quoteIdentifier } from "../../sqlite/identifier.js";
import type { DumpFormat } from "./dump-format.js";
import { type DumpStep, dumpOf } from "./dump-steps.js";
import { FILE_FORMS } from "./file-form.js";
import { openSnapshot } from "./open-snapshot.js";
import type { RowShape } from "./row-shape.js";
import { rowsStep } from "./rows-step.js";
import type { Schema, SchemaObject, SchemaTable } from "./schema.js";
import type { SelectedTables } from "./select-tables.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { sequences, statistics } from "./sql-books.js";
import { footer, header } from "./sql-frame.js";
import { forShell, statement } from "./sql-statement.js";
import { sqlValues } from "./sql-value.js";
import { indexSettings, rawDeclarations } from "./sql-virtual.js";
import { describeLayout, type LayoutColumn } from "./table-layout.js";
import type { ValueFormat } from "./value-format.js";

/**
 * A script that the `sqlite3` shell makes an equal database of: `sqlite3 new.db < dump.sql`. Not in it: `sqlite_stat4`, the journal mode.
 */
export const sqlFormat: DumpFormat = {
  name: "sql",
  ...FILE_FORMS.sql,
  open: (database, selection) =>
    openSnapshot(database, selection, (reader, selected, schema) =>
      dumpOf(reader, "sql", sqlSteps(reader, selected, schema)),
    ),
};

function sqlSteps(reader: SnapshotReader, { tables, whole }: SelectedTables, schema: Schema): DumpStep[] {
  const values = sqlValues(reader.utf16);
  const names = new Set(tables.map(({ name }) => foldName(name)));
  const of = (type: SchemaObject["type"]): SchemaObject[] =>
    schema.others.filter((object) => object.type === type && (whole || names.has(foldName(object.table))));
  const kind = (...kinds: SchemaTable["kind"][]): SchemaTable[] =>
    tables.filter((table) => kinds.includes(table.kind) && (table.owner === null || isRaw(tables, table.owner)));
  const create = (object: SchemaObject): DumpStep => ({ kind: "text", text: () => statement(object.sql) });
  const raw = kind("raw");
  return [
    { kind: "text", text: () => header(reader, whole, raw.length > 0) },
    ...kind("rows").flatMap((table) => [create(table), insertStep(reader, table, values)]),
    ...of("index").map(create),
    ...(whole ? of("view").map(create) : []),
    // After what a declaration may look at: a view can be the content of a full-text index.
    ...kind("content").flatMap((table) => [
      create(table),
      { kind: "text", text: () => indexSettings(reader, table, values) } as const,
      insertStep(reader, table, values),
    ]),
    ...kind("rebuild").flatMap((table) => [create(table), rebuildStep(reader, table, values)]),
    ...kind("none").map(create),
    ...of("trigger").map(create),
    { kind: "text", text: () => sequences(reader, schema, whole ? null : tables, values) },
    { kind: "text", text: () => statistics(reader, schema, whole, values) },
    { kind: "text", text: () => rawDeclarations(raw) },
    { kind: "text", text: () => footer(raw.length > 0) },
  ];
}

/** What keeps the data of a virtual table only goes along where that table is not filled through its declaration. */
function isRaw(tables: readonly SchemaTable[], owner: string): boolean {
  return tables.some((table) => table.kind === "raw" && foldName(table.name) === owner);
}

function rebuildStep(reader: SnapshotReader, table: SchemaTable, values: ValueFormat): DumpStep {
  const name = forShell(quoteIdentifier(table.name));
  return {
    kind: "text",
    text: () => `${indexSettings(reader, table, values)}INSERT INTO ${name}(${name}) VALUES('rebuild');\n`,
  };
}

/**
 * Rows, some hundreds in a statement. Rowids are kept: written where they are not the ones that SQLite would give anyway, each one
 * more than the last.
 */
function insertStep(reader: SnapshotReader, table: SchemaTable, values: ValueFormat): DumpStep {
  const layout = describeLayout(reader, table);
  const columns = layout.columns.filter(({ generated }) => !generated);
  const plain = insertShape(table.name, columns);
  const { rowid } = layout;
  if (rowid === null) return rowsStep(reader, table.name, layout, values, plain, null);
  const keeping = insertShape(table.name, [{ name: rowid, hint: "ROWID" }, ...columns]);
  // A virtual table numbers its rows as it likes.
  if (table.virtual !== null) return rowsStep(reader, table.name, layout, values, keeping, null);
  return rowsStep(reader, table.name, layout, values, plain, keeping);
}

function insertShape(table: string, columns: readonly Omit<LayoutColumn, "generated">[]): RowShape {
  const names = columns.map(({ name }) => quoteIdentifier(name));
  const into = forShell(`${quoteIdentifier(table)}(${names.join(",")})`);
  return {
    columns: columns.map(({ hint }, index) => ({ sql: `v.${names[index]}`, hint, label: index === 0 ? "" : "," })),
    begin: () => `INSERT INTO ${into} VALUES\n(`,
    between: "),\n(",
    end: ");\n",
    close: "",
  };
}
