import type { ReplicaErrorCode } from "../../errors.js";

/** `append`: rows are only ever added. `upsert`: rows are added and changed. `full`: the whole table each time. */
export type TableMode = "append" | "upsert" | "full";

/** What to copy. */
export interface TableTaskDefinition {
  /** Name of the source. Default: the only one there is. */
  readonly source?: string;
  /** The exact name of the table, or `schema.table`. */
  readonly sourceTable: string;
  /** Name of the local table. Default: the source table's, without its schema. */
  readonly targetTable?: string;
  /** Only these columns, primary key and cursor column among them. Default: all, and those that are added later. */
  readonly columns?: readonly string[] | null;
  /** The column that grows when a row is written. Default: `updated_at`, else `created_at`, else an increasing id; not with `full`. */
  readonly cursorColumn?: string | null;
  /** Default: `upsert` where the cursor column is `updated_at` or was given and there is a primary key, `append` for another, `full` without one. */
  readonly mode?: TableMode;
  /** Seconds from the end of one run to the start of the next. Default 300. */
  readonly intervalSeconds?: number;
  /** Rows per local transaction. Default 5 000. */
  readonly batchSize?: number;
  /**
   * `reconcile`: rows that are gone at the source, or that a cursor missed, are found by digests and mended; `full` has no need of it. Default
   * `null`: they stay.
   */
  readonly deletes?: "reconcile" | null;
  /** How decimals are kept: `real`, or `text` which keeps every digit. Default `real`; in a primary key or cursor always `text`. */
  readonly numeric?: "real" | "text";
}

/** A task with its defaults filled in, as `replication_tasks` keeps it. */
export interface TaskRecord extends Required<Omit<TableTaskDefinition, "mode">> {
  /** A UUID. */
  readonly id: string;
  /** `null` until the source has been reached for the first time, where it was not given. */
  readonly mode: TableMode | null;
  readonly paused: boolean;
  /** The cursor value that the copy has reached, as the source writes it. */
  readonly cursor: string | null;
  readonly lastRun: TableRun | null;
  /** When the newest run that ended without an error began. Not there in a task that is not stored yet. */
  readonly lastSuccessAt: string | null;
}

/** One run of a task, from its first look at the source until the copy has caught up. Times are ISO 8601 UTC. */
export interface TableRun {
  readonly taskId: string;
  readonly startedAt: string;
  /** `null` while it is under way. */
  readonly finishedAt: string | null;
  readonly rowsPulled: number;
  readonly rowsDeleted: number;
  readonly bytes: number;
  readonly cursor: string | null;
  /** Values that lost digits because the column is kept as REAL. */
  readonly lossyValues: number;
  /** Rows whose cursor is NULL: copied at the start, afterwards followed by `deletes: "reconcile"` alone. */
  readonly nullCursorRows: number;
  /** Columns that the source has dropped and the local table still has, as NULL. */
  readonly droppedColumns: readonly string[];
  /** What people may want to know, in sentences: why the table was copied anew, an index that is missing at the source. */
  readonly notes: readonly string[];
  readonly error: { readonly code: ReplicaErrorCode; readonly message: string } | null;
}

export interface VerifyResult {
  /** Nothing missing, extra or different was found; with `repair`: before it was mended. */
  readonly equal: boolean;
  /** Rows of the source that the local table does not have. */
  readonly missing: number;
  /** Rows of the local table that the source does not have. */
  readonly extra: number;
  readonly different: number;
  /** Rows that were written or deleted to mend it. */
  readonly repaired: number;
}
