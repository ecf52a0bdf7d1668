/** A column of a source's table and how its values are kept here. */
export interface SourceColumn {
  readonly name: string;
  /** Another one for a column that was dropped and made again under the same name; left out where the source cannot tell. */
  readonly identity?: string;
  /** The type as the source's own tools show it, such as `character varying(80)`. */
  readonly sourceType: string;
  readonly nullable: boolean;
  /** Declared type of the local column: `INTEGER`, `REAL`, `TEXT`, `BLOB`, or whatever a SQLite source declares. */
  readonly targetType: string;
  /**
   * Names the rule that turns source values into local ones. Where it stays the same, a change of `sourceType` (a wider one) leaves the
   * values that were copied as they are; where it changes, they must be copied again.
   */
  readonly mapping: string;
  /** Whether values have an order that a cursor can follow, and what it means. `null`: not a cursor. */
  readonly order: "time" | "number" | "text" | null;
  /** No two rows share a value: a primary key of one column, or a unique index. */
  readonly unique: boolean;
  /** Filled with ever larger numbers by the source itself: identity, sequence default, AUTOINCREMENT. */
  readonly increasing: boolean;
  /** An index can give rows in this column's order (then by primary key or not). Without one each pass sorts the table. */
  readonly indexed: boolean;
}

/** A table as its source describes it. Plain data: it is kept as JSON and crosses threads. */
export interface SourceTable {
  /** Schema or attached database; empty where there is none. */
  readonly schema: string;
  readonly name: string;
  /** Another one for a table that was dropped and made again under the same name. */
  readonly identity: string;
  /** In the source's order. */
  readonly columns: readonly SourceColumn[];
  /** Names in key order; empty where there is no primary key. */
  readonly primaryKey: readonly string[];
  /** Rows as the source's statistics have it; `null` where it has none. */
  readonly estimatedRows: number | null;
  /**
   * Whether an index gives key ranges in SQLite's order. Without, every range costs a scan of the table, so fewer and larger ones are
   * asked for.
   */
  readonly rangesIndexed: boolean;
}
