import { ReplicaError } from "../../errors.js";
import { quoteIdentifier } from "../../sqlite/identifier.js";
import type { DumpStep } from "./dump-steps.js";
import type { RowShape } from "./row-shape.js";
import { rowsStep } from "./rows-step.js";
import type { SchemaTable } from "./schema.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { describeLayout } from "./table-layout.js";
import type { ValueFormat } from "./value-format.js";

/** A table to show as text: its columns, generated ones too, and how its rows come. */
export interface ShownTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** Rows with what each column is labelled by. */
  rows(shape: Omit<RowShape, "columns">, labels: readonly string[], values: ValueFormat): DumpStep;
}

/** @throws `TABLE_MISSING` for a virtual table without rows of its own that can be read back. */
export function showTable(reader: SnapshotReader, table: SchemaTable): ShownTable {
  if (!hasRows(table)) {
    throw new ReplicaError("TABLE_MISSING", `The virtual table ${JSON.stringify(table.name)} has no rows of its own.`, {
      hint: "Export the table that it is made from; the sql format keeps an index whole.",
    });
  }
  const layout = describeLayout(reader, table);
  const columns = layout.columns.map(({ name }) => name);
  return {
    name: table.name,
    columns,
    rows(form, labels, values) {
      const shown = layout.columns.map(({ name, hint }, index) => ({
        sql: `v.${quoteIdentifier(name)}`,
        hint,
        label: labels[index] ?? "",
      }));
      return rowsStep(reader, table.name, layout, values, { ...form, columns: shown }, null);
    },
  };
}

export function hasRows(table: SchemaTable): boolean {
  return table.kind === "rows" || table.kind === "content";
}
