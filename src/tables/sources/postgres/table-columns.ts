import { ReplicaError } from "../../../errors.js";
import type { SourceColumn, SourceTable } from "../source-table.js";

/** @throws `INVALID_TASK` where the table has no such column. */
export function columnOf(table: SourceTable, name: string): SourceColumn {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column === undefined) {
    throw new ReplicaError("INVALID_TASK", `The table "${table.schema}"."${table.name}" has no column "${name}"`, {
      hint: `It has: ${table.columns.map((candidate) => candidate.name).join(", ")}.`,
    });
  }
  return column;
}
