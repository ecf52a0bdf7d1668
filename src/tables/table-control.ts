import type { ReplicaErrorCode } from "../errors.js";
import type { TaskChange } from "./copy/table-engine.js";
import type { QueryParameters, QueryResult } from "./query/query-result.js";
import type { TableRun, TableTaskDefinition, TaskRecord, VerifyResult } from "./tasks/table-task.js";

/** A task as users see it. What does not apply is `null`. */
export interface TableTask extends Omit<TaskRecord, "paused" | "lastSuccessAt"> {
  /** `failing`: the last run failed, and the next one is a retry. */
  readonly state: "idle" | "running" | "failing" | "paused";
  /** ISO 8601 UTC. */
  readonly nextRunAt: string | null;
}

/** A task and how fresh its copy is. */
export interface TableTaskStatus extends TableTask {
  /** When the last successful run began, also one before a restart. */
  readonly lastSuccessAt: string | null;
  /** Kept after a success, until a restart. */
  readonly lastError: { readonly code: ReplicaErrorCode; readonly message: string; readonly at: string } | null;
  readonly consecutiveFailures: number;
  /** Milliseconds since the last successful run began: the copy is at most this much behind. `null` before the first. */
  readonly stalenessMs: number | null;
}

/** What can be asked of tables that are kept in step. `id` is a task's id or the name of its local table. */
export interface TableControl {
  tasks(): Promise<TableTask[]>;
  task(id: string): Promise<TableTask>;
  addTask(definition: TableTaskDefinition): Promise<TableTask>;
  updateTask(id: string, change: TaskChange): Promise<TableTask>;
  removeTask(id: string): Promise<void>;
  runTask(id: string, options?: { readonly signal?: AbortSignal }): Promise<TableRun>;
  verify(id: string, options?: { readonly repair?: boolean; readonly signal?: AbortSignal }): Promise<VerifyResult>;
  runs(id: string, limit?: number): Promise<readonly TableRun[]>;
  query(sql: string, params?: QueryParameters, options?: { readonly signal?: AbortSignal }): Promise<QueryResult>;
  status(): Promise<TableTaskStatus[]>;
}
