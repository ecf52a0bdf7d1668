import { quoteIdentifier } from "../../sqlite/identifier.js";
import { type KeyValue, readKey, writeKey } from "./key-text.js";
import type { RowCursor, RowRange } from "./row-cursor.js";
import type { SnapshotReader } from "./snapshot-reader.js";

/** A column of a unique index: ordered, and equal, by its collation there. */
export interface KeyColumn {
  readonly name: string;
  readonly collation: string;
  readonly descending: boolean;
}

/**
 * By the columns of a unique index without NULL, in that index's own order. What comes after a key `(a, b)` is read as the rows with the same `a`
 * and a later `b`, then those with a later `a`: each a plain range of the index, whatever the collations and directions.
 */
export class KeyCursor implements RowCursor {
  readonly bytes: string;
  readonly #reader: SnapshotReader;
  readonly #from: string;
  readonly #columns: readonly { readonly sql: string; readonly after: string }[];
  readonly #order: string;
  readonly #key: string;

  constructor(reader: SnapshotReader, table: string, columns: readonly KeyColumn[], bytes: string) {
    this.#reader = reader;
    this.#from = `main.${quoteIdentifier(table)} AS v NOT INDEXED`;
    this.#columns = columns.map(({ name, collation, descending }) => ({
      sql: `v.${quoteIdentifier(name)} COLLATE ${quoteIdentifier(collation)}`,
      after: descending ? "<" : ">",
    }));
    this.#order = this.#columns.map(({ sql, after }) => `${sql}${after === "<" ? " DESC" : ""}`).join(", ");
    this.bytes = bytes;
    this.#key = columns
      .map(({ name }) => `v.${quoteIdentifier(name)}`)
      .map((sql) => `typeof(${sql}), CASE typeof(${sql}) WHEN 'text' THEN CAST(${sql} AS BLOB) ELSE ${sql} END`)
      .join(", ");
  }

  next(after: readonly string[] | null, limit: number): RowRange | null {
    if (after === null) return this.#range(after, "", [], limit);
    const values = after.map(readKey);
    for (let level = this.#columns.length - 1; level >= 0; level -= 1) {
      const terms = this.#columns
        .slice(0, level + 1)
        .map((column, index) => `${column.sql} ${index === level ? column.after : "="} ${values[index]?.sql}`);
      const parameters = values.slice(0, level + 1).map(({ value }) => value);
      const range = this.#range(after, `WHERE ${terms.join(" AND ")}`, parameters, limit);
      if (range !== null) return range;
    }
    return null;
  }

  scan(): null {
    return null;
  }

  #range(
    after: readonly string[] | null,
    where: string,
    parameters: readonly unknown[],
    limit: number,
  ): RowRange | null {
    const scan = `FROM ${this.#from} ${where} ORDER BY ${this.#order} LIMIT`;
    // `+ 0`: see RowidCursor.
    const measure = `SELECT count(*), sum(b) FROM (SELECT ${this.bytes} AS b ${scan} ? + 0)`;
    const [count, bytes] = this.#reader.row(measure, [...parameters, limit]) as [bigint, bigint];
    if (count === 0n) return null;
    const rows = Number(count);
    // Skips within these rows only.
    const found = this.#reader.row(`SELECT ${this.#key} ${scan} 1 OFFSET ?`, [...parameters, rows - 1]) ?? [];
    const last: string[] = [];
    for (let index = 0; index < found.length; index += 2) {
      last.push(writeKey(found[index] as string, found[index + 1] as KeyValue));
    }
    return {
      rows,
      bytes: Number(bytes),
      after,
      last,
      source: { sql: `(SELECT * ${scan} ? + 0) AS v`, parameters: [...parameters, rows] },
    };
  }
}
