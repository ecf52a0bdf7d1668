/** Some rows of a table that stand next to each other in the order of its key. */
export interface RowRange {
  readonly rows: number;
  /** About what their values take, in bytes. */
  readonly bytes: number;
  readonly after: readonly string[] | null;
  /** Key of the last. */
  readonly last: readonly string[];
  readonly source: RowSource;
}

/** What stands after FROM to read rows in order, as `v`, and its parameters. */
export interface RowSource {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

interface RowScan extends RowSource {
  /** SQL for the key. */
  readonly key: string;
  /** SQL for what those values of a row take together that may well be long, in bytes, without loading them. */
  readonly lengths: string;
}

/** Walks a table by a key that no two rows share. */
export interface RowCursor {
  /**
   * The next rows, at most `limit`, without loading their values; `null` when there are none. There may be fewer before the end.
   */
  next(after: readonly string[] | null, limit: number): RowRange | null;
  /** The same rows without a look at them first, where the key is one integer; `null` where it is not. */
  scan(after: readonly string[] | null, limit: number): RowScan | null;
  /** SQL for about what the values of a row take, in bytes, without loading them. */
  readonly bytes: string;
}
