import { ReplicaError } from "../../errors.js";
import type { SqliteValue } from "../../sqlite/sqlite-value.js";
import type { LocalDatabase } from "../local/local-database.js";
import type { SourceTable } from "../sources/source-table.js";
import { createBooks } from "./books-schema.js";
import { RunHistory, type RunUpdate } from "./run-history.js";
import type { TableState } from "./table-state.js";
import type { TableMode, TableRun, TaskRecord } from "./table-task.js";

/** What a task consists of; its cursor and its runs come from the other books. */
export type StoredTask = Omit<TaskRecord, "cursor" | "lastRun" | "lastSuccessAt">;

/** What can change about a task that exists. */
export type TaskUpdate = Partial<Omit<StoredTask, "id" | "targetTable">>;

/**
 * The books in the local SQLite file: tasks, how far each copy is, and history. Every method may stand inside the caller's transaction but
 * `create`; outside one each is a transaction of its own. Throws `LOCAL_DATABASE`.
 */
export class TaskStore {
  readonly #database: LocalDatabase;
  readonly #runs: RunHistory;

  constructor(database: LocalDatabase) {
    this.#database = database;
    this.#runs = new RunHistory(database);
  }

  /** Makes the books where the file has none (`books-schema.ts`). @throws `LOCAL_DATABASE` for books that are not this version's. */
  create(): void {
    createBooks(this.#database);
  }

  /** In the order they were made. */
  list(): readonly TaskRecord[] {
    return this.#database.all<TaskRow>(`${SELECT_TASKS} ORDER BY t.rowid`).map((row) => this.#toRecord(row));
  }

  get(id: string): TaskRecord | null {
    return this.#find("t.id = ?", id);
  }

  /** Names of tables are equal whatever their case, as in SQLite. */
  findByTarget(target: string): TaskRecord | null {
    return this.#find("t.target_table = ? COLLATE NOCASE", target);
  }

  /** @throws `TARGET_TAKEN` where another task has the target. */
  insert(task: StoredTask): TaskRecord {
    const other = this.findByTarget(task.targetTable);
    if (other !== null) {
      throw new ReplicaError(
        "TARGET_TAKEN",
        `targetTable: the task ${other.id} copies "${other.sourceTable}" to "${other.targetTable}" already`,
        { hint: "Give another `targetTable`, or remove that task first." },
      );
    }
    const fields = Object.entries(toColumns({ ...task }));
    const names = ["id", "target_table", ...fields.map(([name]) => name)];
    this.#database.run(
      `INSERT INTO replication_tasks (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
      task.id,
      task.targetTable,
      ...fields.map(([, value]) => value),
    );
    return this.existing(task.id);
  }

  /** @throws `UNKNOWN_TASK` */
  update(id: string, change: TaskUpdate): TaskRecord {
    const fields = Object.entries(toColumns(change));
    if (fields.length > 0) {
      const sets = fields.map(([name]) => `${name} = ?`).join(", ");
      this.#database.run(`UPDATE replication_tasks SET ${sets} WHERE id = ?`, ...fields.map(([, value]) => value), id);
    }
    return this.existing(id);
  }

  /** Forgets a task and its history; whether it was there. The table stays, see {@link releaseState}. */
  remove(id: string): boolean {
    this.#runs.remove(id);
    return this.#database.run("DELETE FROM replication_tasks WHERE id = ?", id) > 0;
  }

  /** What is known of a target. `null`: this package has never written to a table of that name. */
  readState(target: string): TableState | null {
    const row = this.#database.get<StateRow>(
      "SELECT source_schema, data, cursor FROM replication_state WHERE target_table = ?",
      target,
    );
    if (row === undefined) return null;
    return {
      table: row.source_schema === null ? null : (JSON.parse(row.source_schema) as SourceTable),
      data: row.data === null ? null : JSON.parse(row.data),
      cursor: row.cursor,
    };
  }

  /** Called inside the transaction that writes the rows. The state belongs to the task that has the target now. */
  writeState(target: string, state: TableState): void {
    this.#database.run(
      `INSERT INTO replication_state (target_table, task_id, cursor, source_schema, data, updated_at)
       VALUES (?, (SELECT id FROM replication_tasks WHERE target_table = ?), ?, ?, ?, ?)
       ON CONFLICT (target_table) DO UPDATE SET task_id = excluded.task_id, cursor = excluded.cursor,
         source_schema = excluded.source_schema, data = excluded.data, updated_at = excluded.updated_at,
         last_success_at = CASE WHEN task_id = excluded.task_id THEN last_success_at END`,
      target,
      target,
      state.cursor,
      state.table === null ? null : JSON.stringify(state.table),
      JSON.stringify(state.data ?? null),
      new Date().toISOString(),
    );
  }

  /** After a task was removed: what stays known is that this package made the table, and from what. */
  releaseState(target: string): void {
    this.#database.run(
      `UPDATE replication_state SET task_id = NULL, cursor = NULL, data = NULL, last_success_at = NULL, updated_at = ?
       WHERE target_table = ?`,
      new Date().toISOString(),
      target,
    );
  }

  /** Forgets that this package made the table: for one that is gone. */
  removeState(target: string): void {
    this.#database.run("DELETE FROM replication_state WHERE target_table = ?", target);
  }

  /** Records a run that begins now and returns its number. The newest 200 runs of each task are kept. */
  beginRun(taskId: string, startedAt: string): number {
    return this.#runs.begin(taskId, startedAt);
  }

  /** A run that ends, and with `error: null`, is its task's last success. Called inside a transaction. */
  updateRun(runId: number, change: RunUpdate): void {
    this.#runs.update(runId, change);
    if (!change.finishedAt || change.error !== null) return;
    this.#database.run(
      `UPDATE replication_state SET last_success_at = r.started_at
       FROM replication_runs AS r WHERE r.id = ? AND r.task_id = replication_state.task_id`,
      runId,
    );
  }

  /** Newest first. */
  runs(taskId: string, limit: number): readonly TableRun[] {
    return this.#runs.list(taskId, limit);
  }

  /** The newest, finished or not. */
  lastRun(taskId: string): TableRun | null {
    return this.#runs.list(taskId, 1)[0] ?? null;
  }

  /** Ends, as failed, the runs that a crash has left unfinished: to be called before any run begins. Returns how many. */
  closeInterruptedRuns(): number {
    return this.#runs.closeInterrupted(new Date().toISOString());
  }

  #find(condition: string, value: string): TaskRecord | null {
    const row = this.#database.get<TaskRow>(`${SELECT_TASKS} WHERE ${condition}`, value);
    return row === undefined ? null : this.#toRecord(row);
  }

  /** @throws `UNKNOWN_TASK` */
  existing(id: string): TaskRecord {
    const record = this.get(id);
    if (record === null) throw new ReplicaError("UNKNOWN_TASK", `There is no task with the id "${id}"`);
    return record;
  }

  #toRecord(row: TaskRow): TaskRecord {
    return {
      id: row.id,
      source: row.source,
      sourceTable: row.source_table,
      targetTable: row.target_table,
      columns: row.columns === null ? null : (JSON.parse(row.columns) as string[]),
      cursorColumn: row.cursor_column,
      mode: row.mode,
      intervalSeconds: row.interval_seconds,
      batchSize: row.batch_size,
      deletes: row.deletes,
      numeric: row.numeric,
      paused: row.paused === 1,
      cursor: row.cursor,
      lastRun: this.lastRun(row.id),
      lastSuccessAt: row.last_success_at,
    };
  }
}

const SELECT_TASKS = `SELECT t.*, s.cursor, s.last_success_at FROM replication_tasks AS t
  LEFT JOIN replication_state AS s ON s.target_table = t.target_table AND s.task_id = t.id`;

interface TaskRow {
  readonly id: string;
  readonly source: string;
  readonly source_table: string;
  readonly target_table: string;
  readonly columns: string | null;
  readonly cursor_column: string | null;
  readonly mode: TableMode | null;
  readonly interval_seconds: number;
  readonly batch_size: number;
  readonly deletes: "reconcile" | null;
  readonly numeric: "real" | "text";
  readonly paused: number;
  readonly cursor: string | null;
  readonly last_success_at: string | null;
}

interface StateRow {
  readonly source_schema: string | null;
  readonly data: string | null;
  readonly cursor: string | null;
}

/** The columns that a change names, with their values. */
function toColumns(change: TaskUpdate): Record<string, SqliteValue> {
  const { columns, paused } = change;
  const all: Record<string, SqliteValue | undefined> = {
    source: change.source,
    source_table: change.sourceTable,
    columns: columns === undefined || columns === null ? columns : JSON.stringify(columns),
    cursor_column: change.cursorColumn,
    mode: change.mode,
    interval_seconds: change.intervalSeconds,
    batch_size: change.batchSize,
    deletes: change.deletes,
    numeric: change.numeric,
    paused: paused === undefined ? undefined : Number(paused),
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, SqliteValue] => entry[1] !== undefined),
  );
}
