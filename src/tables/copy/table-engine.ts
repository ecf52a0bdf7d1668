import type { SyncReason } from "../../scheduler/sync-context.js";
import type { TableRun, TableTaskDefinition, TaskRecord, VerifyResult } from "../tasks/table-task.js";

/** What an engine needs to know. Plain data: it crosses threads. */
export interface EngineOptions {
  /** The local SQLite file. */
  readonly database: string;
  /** `postgres://`, `postgresql://` or `sqlite:PATH`, by name. */
  readonly sources: Readonly<Record<string, string>>;
  /** Interval of tasks that give none. */
  readonly intervalSeconds: number;
  /** How much younger than the source's clock a time must be before the cursor passes it. Default 5. */
  readonly lagSeconds: number;
  /** Runs at once per source, each of which may keep one stream of rows open. */
  readonly concurrency: number;
}

/** What one bounded unit of work did. */
export interface UnitOutcome {
  readonly changed: boolean;
  readonly rowsPulled: number;
  readonly rowsDeleted: number;
  readonly bytes: number;
  /** The copy has not caught up yet. */
  readonly more: boolean;
  /** Nothing was tried, because the task is being verified. */
  readonly busy?: boolean;
}

/** How far a long copy is. */
export interface TableProgress {
  readonly taskId: string;
  readonly targetTable: string;
  /** `copy`: rows are pulled; `verify`: ranges are compared. */
  readonly phase: "copy" | "verify";
  /** Rows of this run so far. */
  readonly rowsDone: number;
  /** The source's own estimate; `null` where it has none. It may be wrong. */
  readonly rowsEstimated: number | null;
}

export type ProgressHandler = (progress: TableProgress) => void;

/**
 * Copies tables and keeps their books. Holds every driver and every open file, and may block its thread for milliseconds at a time: it
 * lives in a worker. Methods reject with `ReplicaError`s. A task is worked on by one call at a time.
 */
export interface TableEngine {
  /** Opens the local file, makes the books, marks runs that a crash cut short. Resolves with all tasks. */
  open(): Promise<readonly TaskRecord[]>;
  /** Looks at the source, fills in what was left out and keeps the task. @throws `INVALID_TASK`, `UNMAPPABLE_TYPE`, `TABLE_MISSING`, `TARGET_TAKEN`, `SOURCE_*`. */
  addTask(definition: TableTaskDefinition, signal: AbortSignal): Promise<TaskRecord>;
  /**
   * For tasks that stand in the configuration: the task with this target as it is where nothing about it changed, else made anew. Where the source
   * cannot be reached it is kept as far as it is known, and its first run fills in the rest.
   */
  ensureTask(definition: TableTaskDefinition, signal: AbortSignal): Promise<TaskRecord>;
  updateTask(id: string, change: TaskChange): Promise<TaskRecord>;
  /** The copied table stays. */
  removeTask(id: string): Promise<void>;
  /** One unit of a run; begins a run where none is under way, and records its end. `reason` `requested`: reconciles whether due or not. */
  advance(id: string, reason: SyncReason, signal: AbortSignal): Promise<UnitOutcome>;
  /** Compares source and copy, on tables in use, and mends the copy when asked to. */
  verify(id: string, repair: boolean, signal: AbortSignal): Promise<VerifyResult>;
  task(id: string): Promise<TaskRecord>;
  /** Newest first. */
  runs(id: string, limit: number): Promise<readonly TableRun[]>;
  /** Ends what is under way and gives back connections and files. */
  close(): Promise<void>;
}

export interface TaskChange {
  readonly paused?: boolean;
  readonly intervalSeconds?: number;
  readonly batchSize?: number;
}
