import type { TableTaskDefinition, TaskRecord } from "../tasks/table-task.js";

/** Whether a task's definition now asks for another copy than the one that is kept. What it leaves out, it does not ask for. */
export function needsNewCopy(kept: TaskRecord, wished: TableTaskDefinition & { readonly source: string }): boolean {
  return (
    kept.source !== wished.source ||
    kept.sourceTable !== wished.sourceTable ||
    kept.numeric !== (wished.numeric ?? "real") ||
    JSON.stringify(kept.columns) !== JSON.stringify(wished.columns ?? null) ||
    (wished.mode !== undefined && kept.mode !== null && kept.mode !== wished.mode) ||
    (wished.cursorColumn != null && kept.cursorColumn !== wished.cursorColumn)
  );
}
