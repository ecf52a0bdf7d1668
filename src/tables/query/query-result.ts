import type { SqliteRow, SqliteValue } from "../../sqlite/sqlite-value.js";

/**
 * Values for `?` in their order (or `?1`, `?2`, ... by number), or for `:name`, `@name` and `$name` by their bare names. A whole `number` is an
 * INTEGER, any other a REAL.
 */
export type QueryParameters = readonly SqliteValue[] | Readonly<Record<string, SqliteValue>>;

export interface QueryResult {
  readonly columns: readonly string[];
  /** An INTEGER is a `number`, or a `bigint` where a number could not hold it; a BLOB is a `Uint8Array`. */
  readonly rows: readonly SqliteRow[];
}
