import type { RowCursor, RowRange } from "./row-cursor.js";
import type { SnapshotReader } from "./snapshot-reader.js";

const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;

/** By rowid. */
export class RowidCursor implements RowCursor {
  readonly #reader: SnapshotReader;
  readonly #measure: string;
  readonly #source: string;

  /**
   * @param from what to read from, with the table as `v`.
   * @param key the rowid in it, by which `from` comes in order.
   * @param bytes SQL for about what a row takes.
   */
  constructor(reader: SnapshotReader, from: string, key: string, bytes: string) {
    this.#reader = reader;
    this.#measure =
      `SELECT count(*), sum(b), max(k) FROM ` +
      `(SELECT ${key} AS k, ${bytes} AS b FROM ${from} WHERE ${key} >= ? ORDER BY ${key} LIMIT ?)`;
    this.#source = `${from} WHERE ${key} BETWEEN ? AND ?`;
  }

  next(after: readonly string[] | null, limit: number): RowRange | null {
    const before = after === null ? null : BigInt(after[0] ?? "");
    if (before === HIGHEST) return null;
    const first = before === null ? LOWEST : before + 1n;
    const [rows, bytes, last] = this.#reader.row(this.#measure, [first, limit]) as [bigint, bigint, bigint];
    if (rows === 0n) return null;
    return {
      rows: Number(rows),
      bytes: Number(bytes),
      after,
      last: [String(last)],
      source: { sql: this.#source, parameters: [first, last] },
    };
  }
}
