import type { SqliteRow } from "../../sqlite/sqlite-value.js";
import type { SourceTable } from "./source-table.js";

/**
 * Values of the keyset's columns as the source writes them, as text that loses nothing (microseconds, 64-bit integers). Only the source
 * that wrote them reads them; everybody else keeps them.
 */
export type SourcePosition = readonly string[];

/** A bound on the cursor column. */
export interface CursorBound {
  readonly value: string;
  /** Whether rows with exactly this value are on this side of the bound too. */
  readonly inclusive: boolean;
}

/** Rows in the order of a keyset. */
export interface ReadRequest {
  readonly table: SourceTable;
  /** What to order by: cursor column, then the primary key's columns that are not the cursor column. Empty: in any order. */
  readonly keyset: readonly string[];
  /** Only rows after this keyset. */
  readonly after?: SourcePosition;
  /** Only rows whose first keyset column is above this. */
  readonly above?: CursorBound;
  /** Only rows whose first keyset column is below this. */
  readonly below?: CursorBound;
  /**
   * The column that must be NULL, for the rows that a cursor never reaches; it is no part of `keyset` then. Rows whose first keyset column
   * is NULL are otherwise left out where `above`, `below` or `after` is given.
   */
  readonly whereNull?: string;
  /** Leave out rows whose first keyset column is NULL. */
  readonly skipNulls?: boolean;
  /** Only the last row of them. */
  readonly lastOnly?: boolean;
  /** Rows per batch. The last may have fewer, and so may any whose rows are wide: a batch also ends by its bytes. */
  readonly batchSize: number;
  /**
   * A batch never ends between rows with equal keysets: for tables without a primary key, where the keyset names no single row. More than
   * `MAX_TIES` of them are the error `TOO_MANY_TIES`. With an empty keyset all rows are one batch.
   */
  readonly wholeTies?: boolean;
  readonly signal: AbortSignal;
}

export interface SourceBatch {
  /** A 64-bit integer is a `bigint` where a `number` could not hold it; `readRange` and `readKeys` give every integer as `bigint`. */
  readonly rows: readonly SqliteRow[];
  /** Keyset of the last row; empty where the keyset is. */
  readonly last: SourcePosition;
  /** Bytes of the values as they came. */
  readonly bytes: number;
  /** Values that lost digits on their way into a REAL. */
  readonly lossyValues: number;
}

/**
 * What stands between committed and not yet committed rows, for `copy/horizon.ts`. The parts are read in this order: ceiling first,
 * transactions second.
 */
export interface ReadPoint {
  /**
   * Rows with a cursor up to here belong to transactions that have committed, or to one of `openTransactions`. `null`: no row has a cursor.
   * Rows above may still appear in any order and are read again by the next pass.
   */
  readonly ceiling: CursorBound | null;
  /** Names of transactions of others that are open and might write rows below the ceiling. Unique over the source's life. */
  readonly openTransactions: readonly string[];
  /** Rows whose cursor is NULL. */
  readonly nullCursorRows: number;
}

/** Primary keys as the local copy keeps them, in SQLite's order (BINARY): above `lower`, up to and with `upper`. `null`: no bound. */
export interface KeyRange {
  readonly lower: SqliteRow | null;
  readonly upper: SqliteRow | null;
}

/** How many rows there are and the sum of their digests (`row-digest.ts`): equal rows give equal digests, in any order. */
export interface RangeDigest {
  readonly rows: number;
  readonly digest: string;
}

export interface DescribeOptions {
  /** Only these columns, by their exact names. Default: all. */
  readonly columns?: readonly string[];
  /** How decimals are kept: REAL, or TEXT which keeps every digit. */
  readonly numeric: "real" | "text";
  readonly signal: AbortSignal;
}

/**
 * A database that tables are copied from. One object serves many tasks at once. Every method maps the driver's errors to `ReplicaError`s
 * once (`SOURCE_UNREACHABLE`, `SOURCE_REFUSED`, `SOURCE_FAILED`, `TABLE_MISSING`, ...), ends soon after `signal` aborts by throwing
 * `signal.reason`, and recovers by itself when the database is back. Nothing here writes to the source.
 */
export interface TableSource {
  readonly kind: "postgres" | "sqlite";
  /**
   * The table as it is now. `name` is the exact name, or `schema.table`.
   * @throws `TABLE_MISSING`; `INVALID_TASK` for an unknown column; `UNMAPPABLE_TYPE` naming column and type.
   */
  describe(name: string, options: DescribeOptions): Promise<SourceTable>;
  /** @param lagSeconds rows with a time as cursor that are younger than this are above the ceiling. */
  readPoint(table: SourceTable, cursorColumn: string, lagSeconds: number, signal: AbortSignal): Promise<ReadPoint>;
  /**
   * Which of these transactions are still open. Wants the whole list of a read point: of one that went on under another name (prepared for a
   * two-phase commit) it is the others of the list that tell.
   */
  stillOpen(transactions: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** In bounded memory, whatever the table's size. All batches are of one snapshot. */
  read(request: ReadRequest): AsyncIterable<SourceBatch>;
  digest(table: SourceTable, range: KeyRange, signal: AbortSignal): Promise<RangeDigest>;
  /** Rows of the range in the order of the key as the local copy orders it, all of one snapshot. */
  readRange(table: SourceTable, range: KeyRange, batchSize: number, signal: AbortSignal): AsyncIterable<SourceBatch>;
  /** The rows with these keys that exist, in any order. At most 1 000 keys at a time. */
  readKeys(table: SourceTable, keys: readonly SqliteRow[], signal: AbortSignal): Promise<readonly SqliteRow[]>;
  /** Whether any row has another value than NULL there. */
  hasValues(table: SourceTable, column: string, signal: AbortSignal): Promise<boolean>;
  /** Gives back connections and files. Reads under way fail. */
  close(): Promise<void>;
}

/** Rows with one and the same keyset that are kept in memory at once for a table without a primary key. */
export const MAX_TIES = 100_000;
