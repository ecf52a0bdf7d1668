import type { TableTaskDefinition, TaskRecord } from "./table-task.js";

/** The local table that a definition fills, as far as one can tell without its source: a dot may also stand in the table's own name. */
export function targetOf({ targetTable, sourceTable }: TableTaskDefinition): string {
  return targetTable ?? sourceTable.slice(sourceTable.lastIndexOf(".") + 1);
}

/** Of the tasks that are kept, the one that a definition without a target has made. */
export function findByDefinition(
  tasks: readonly TaskRecord[],
  { sourceTable }: TableTaskDefinition,
  source: string,
): TaskRecord | null {
  const isIts = (task: TaskRecord): boolean =>
    task.source === source &&
    task.sourceTable === sourceTable &&
    (task.targetTable === sourceTable || sourceTable.endsWith(`.${task.targetTable}`));
  return tasks.find(isIts) ?? null;
}
