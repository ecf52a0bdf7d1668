import type { ChannelStatus } from "../scheduler/run-ledger.js";
import type { TableTask, TableTaskStatus } from "./table-control.js";
import type { TableRun, TaskRecord } from "./tasks/table-task.js";

/** The task with the fields that the control API pins. */
export function taskView(record: TaskRecord, status: ChannelStatus | null): TableTask {
  const state = record.paused ? "paused" : status === null || status.state === "stopped" ? "idle" : status.state;
  return {
    id: record.id,
    source: record.source,
    sourceTable: record.sourceTable,
    targetTable: record.targetTable,
    columns: record.columns,
    cursorColumn: record.cursorColumn,
    mode: record.mode,
    intervalSeconds: record.intervalSeconds,
    batchSize: record.batchSize,
    deletes: record.deletes,
    numeric: record.numeric,
    state,
    cursor: record.cursor,
    lastRun: record.lastRun,
    nextRunAt: status?.nextRunAt ?? null,
  };
}

/** The task with what the scheduler knows of it, which is `null` for a paused one. */
export function taskStatus(record: TaskRecord, status: ChannelStatus | null): TableTaskStatus {
  // After a restart, and while it is paused, the books know more than the scheduler.
  const lastSuccessAt = later(record.lastSuccessAt, status?.lastSuccessAt ?? null);
  return {
    ...taskView(record, status),
    lastSuccessAt,
    lastError: status?.lastError ?? recordedError(record.lastRun),
    consecutiveFailures: status?.consecutiveFailures ?? 0,
    stalenessMs: lastSuccessAt === null ? null : Math.max(0, Date.now() - Date.parse(lastSuccessAt)),
  };
}

/** A run that somebody stopped has not failed. */
function recordedError(run: TableRun | null): TableTaskStatus["lastError"] {
  if (!run?.error || run.error.code === "STOPPED") return null;
  const { code, message } = run.error;
  return { code, message, at: run.finishedAt ?? run.startedAt };
}

/** Of two times in ISO 8601 UTC. */
function later(one: string | null, other: string | null): string | null {
  return (one ?? "") > (other ?? "") ? one : other;
}
