import { ReplicaError } from "../../errors.js";
import type { SourceColumn, SourceTable } from "../sources/source-table.js";
import type { TableMode, TableTaskDefinition } from "../tasks/table-task.js";

export interface CopyPlan {
  readonly mode: TableMode;
  /** `null` with `full`. */
  readonly cursorColumn: string | null;
}

type Wishes = Pick<TableTaskDefinition, "mode" | "cursorColumn" | "deletes" | "columns" | "sourceTable">;

/**
 * How a table is copied, from what was asked for and what the table has. Without a wish: `updated_at` with `upsert`, else `created_at` or an
 * increasing id with `append`, else `full`.
 * @throws `INVALID_TASK` naming the field, where the wishes cannot be had.
 */
export function planCopy(table: SourceTable, wishes: Wishes): CopyPlan {
  const plan = chooseCursor(table, wishes);
  const keyed = table.primaryKey.length > 0;
  if (plan.mode === "upsert" && !keyed)
    throw invalid(
      "mode",
      `upsert needs a primary key to know which row changed, and ${wishes.sourceTable} has none`,
      'use "append" where rows never change, or "full"',
    );
  const cursor = table.columns.find(({ name }) => name === plan.cursorColumn);
  if (!keyed && cursor && cursor.order !== "time" && !cursor.unique && !cursor.increasing)
    throw invalid(
      "cursorColumn",
      `${wishes.sourceTable} has no primary key, and several rows may share a "${cursor.name}", so that nobody can tell which of them are copied`,
      'name a time, or a column with a unique index, or use mode "full"',
    );
  if (wishes.deletes === "reconcile" && !keyed && plan.mode !== "full")
    throw invalid(
      "deletes",
      `reconcile compares rows by primary key, and ${wishes.sourceTable} has none`,
      'use mode "full", which includes deletions',
    );
  return plan;
}

function chooseCursor(table: SourceTable, { mode, cursorColumn, deletes, sourceTable }: Wishes): CopyPlan {
  const keyed = table.primaryKey.length > 0;
  if (mode === "full") {
    if (cursorColumn)
      throw invalid("cursorColumn", "full copies the whole table and follows no cursor", "leave it out");
    return { mode, cursorColumn: null };
  }
  if (cursorColumn) {
    verifyCursor(table, cursorColumn, sourceTable);
    return { mode: mode ?? (keyed ? "upsert" : "append"), cursorColumn };
  }
  // Without a key that is the one way to lose deleted rows.
  if (!keyed && !mode && deletes === "reconcile") return { mode: "full", cursorColumn: null };
  const growing = findTime(table, "created_at") ?? table.columns.find(({ increasing }) => increasing);
  // Without a key a changed row would come again as a second one.
  const updated = keyed ? findTime(table, "updated_at") : undefined;
  if (updated && mode !== "append") return { mode: mode ?? "upsert", cursorColumn: updated.name };
  const found = growing ?? updated;
  if (found && (mode || !findTime(table, "updated_at"))) return { mode: mode ?? "append", cursorColumn: found.name };
  if (mode)
    throw invalid(
      "cursorColumn",
      `${sourceTable} has no updated_at, created_at or increasing id to follow`,
      `name the column that grows with every write${candidates(table)}, or use mode "full"`,
    );
  return { mode: "full", cursorColumn: null };
}

function verifyCursor(table: SourceTable, name: string, sourceTable: string): void {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (!column)
    throw invalid(
      "cursorColumn",
      `${sourceTable} has no column "${name}"${candidates(table)}`,
      "names are exact, capitals included",
    );
  if (column.order === null)
    throw invalid(
      "cursorColumn",
      `"${name}" is ${column.sourceType}, whose values do not grow`,
      `name a column of numbers, times or texts${candidates(table)}`,
    );
}

function findTime(table: SourceTable, name: string): SourceColumn | undefined {
  return table.columns.find((column) => column.name.toLowerCase() === name && column.order !== null);
}

function candidates(table: SourceTable): string {
  const names = table.columns.filter(({ order }) => order === "time" || order === "number").map(({ name }) => name);
  return names.length === 0 ? "" : ` (${names.slice(0, 8).join(", ")})`;
}

function invalid(field: string, what: string, hint: string): ReplicaError {
  return new ReplicaError("INVALID_TASK", `${field}: ${what}`, { hint });
}
