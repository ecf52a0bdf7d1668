import type { ReplicaErrorCode } from "../../errors.js";
import type { SqliteValue } from "../../sqlite/sqlite-value.js";
import type { LocalDatabase } from "../local/local-database.js";
import type { TableRun } from "./table-task.js";

/** What changes while a run is under way. */
export type RunUpdate = Partial<Omit<TableRun, "taskId" | "startedAt">>;

const RUNS_KEPT = 200;
const COLUMNS = {
  finishedAt: "finished_at",
  rowsPulled: "rows_pulled",
  rowsDeleted: "rows_deleted",
  bytes: "bytes",
  cursor: "cursor",
  lossyValues: "lossy_values",
  nullCursorRows: "null_cursor_rows",
} as const;

/** The runs of all tasks, in `replication_runs`. Everything may stand inside the caller's transaction. Throws `LOCAL_DATABASE`. */
export class RunHistory {
  readonly #database: LocalDatabase;

  constructor(database: LocalDatabase) {
    this.#database = database;
  }

  /**
   * Records a run that begins now; the task's oldest runs make room for it. Returns its number. An earlier one whose end could not be
   * recorded, on a full disk for instance, has failed.
   */
  begin(taskId: string, startedAt: string): number {
    this.#database.run(
      "UPDATE replication_runs SET finished_at = ?, error_code = ?, error_message = ? WHERE task_id = ? AND finished_at IS NULL",
      startedAt,
      "LOCAL_DATABASE" satisfies ReplicaErrorCode,
      "This run failed, and the local database could not record how, because it was full or locked",
      taskId,
    );
    const row = this.#database.get<{ id: number }>(
      "INSERT INTO replication_runs (task_id, started_at) VALUES (?, ?) RETURNING id",
      taskId,
      startedAt,
    );
    this.#database.run(
      `DELETE FROM replication_runs WHERE task_id = ? AND id <=
         (SELECT id FROM replication_runs WHERE task_id = ? ORDER BY id DESC LIMIT 1 OFFSET ${RUNS_KEPT})`,
      taskId,
      taskId,
    );
    return row?.id ?? 0;
  }

  update(runId: number, change: RunUpdate): void {
    const sets: string[] = [];
    const values: SqliteValue[] = [];
    const set = (column: string, value: SqliteValue) => {
      sets.push(`${column} = ?`);
      values.push(value);
    };
    for (const [field, column] of Object.entries(COLUMNS)) {
      const value = change[field as keyof typeof COLUMNS];
      if (value !== undefined) set(column, value);
    }
    if (change.droppedColumns !== undefined) set("dropped_columns", JSON.stringify(change.droppedColumns));
    if (change.notes !== undefined) set("notes", JSON.stringify(change.notes));
    if (change.error !== undefined) {
      set("error_code", change.error?.code ?? null);
      set("error_message", change.error?.message ?? null);
    }
    if (sets.length === 0) return;
    this.#database.run(`UPDATE replication_runs SET ${sets.join(", ")} WHERE id = ?`, ...values, runId);
  }

  /** Newest first. */
  list(taskId: string, limit: number): readonly TableRun[] {
    const sql = "SELECT * FROM replication_runs WHERE task_id = ? ORDER BY id DESC LIMIT ?";
    return this.#database.all<RunRow>(sql, taskId, limit).map(toRun);
  }

  /** Ends the runs that a crash has left unfinished, as failed; how many. */
  closeInterrupted(finishedAt: string): number {
    return this.#database.run(
      "UPDATE replication_runs SET finished_at = ?, error_code = ?, error_message = ? WHERE finished_at IS NULL",
      finishedAt,
      "WORKER_FAILED" satisfies ReplicaErrorCode,
      "The process or its worker thread ended in the middle of this run; the next run goes on where it was",
    );
  }

  /** Forgets all runs of a task. */
  remove(taskId: string): void {
    this.#database.run("DELETE FROM replication_runs WHERE task_id = ?", taskId);
  }
}

interface RunRow {
  readonly task_id: string;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly rows_pulled: number;
  readonly rows_deleted: number;
  readonly bytes: number;
  readonly cursor: string | null;
  readonly lossy_values: number;
  readonly null_cursor_rows: number;
  readonly dropped_columns: string;
  readonly notes: string;
  readonly error_code: ReplicaErrorCode | null;
  readonly error_message: string | null;
}

function toRun(row: RunRow): TableRun {
  return {
    taskId: row.task_id,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    rowsPulled: row.rows_pulled,
    rowsDeleted: row.rows_deleted,
    bytes: row.bytes,
    cursor: row.cursor,
    lossyValues: row.lossy_values,
    nullCursorRows: row.null_cursor_rows,
    droppedColumns: JSON.parse(row.dropped_columns) as string[],
    notes: JSON.parse(row.notes) as string[],
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
  };
}
