import type { RowCursor, RowRange } from "./row-cursor.js";
import type { SnapshotReader } from "./snapshot-reader.js";

const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;

/** By rowid. */
export class RowidCursor implements RowCursor {
  readonly bytes: string;
  readonly #reader: SnapshotReader;
  readonly #key: string;
  readonly #lengths: string;
  readonly #measure: string;
  readonly #source: string;
  readonly #scan: string;

  /**
   * @param from what to read from, with the table as `v`.
   * @param key the rowid in it, by which `from` comes in order.
   * @param sizes see {@link RowCursor} and {@link RowScan}.
   */
  constructor(
    reader: SnapshotReader,
    from: string,
    key: string,
    { bytes, lengths }: { readonly bytes: string; readonly lengths: string },
  ) {
    this.bytes = bytes;
    this.#reader = reader;
    this.#key = key;
    this.#lengths = lengths;
    // `LIMIT ?` alone would make SQLite plan anew for each other limit: it looks at the value.
    this.#scan = `${from} WHERE ${key} >= ? ORDER BY ${key} LIMIT ? + 0`;
    this.#measure = `SELECT count(*), sum(b), max(k) FROM (SELECT ${key} AS k, ${bytes} AS b FROM ${this.#scan})`;
    this.#source = `${from} WHERE ${key} BETWEEN ? AND ?`;
  }

  next(after: readonly string[] | null, limit: number): RowRange | null {
    const first = firstAfter(after);
    if (first > HIGHEST) return null;
    const found = this.#reader.row(this.#measure, [first, limit]) as [bigint, bigint, bigint];
    const [rows, bytes, last] = found;
    if (rows === 0n) return null;
    return {
      rows: Number(rows),
      bytes: Number(bytes),
      after,
      last: [String(last)],
      source: { sql: this.#source, parameters: [first, last] },
    };
  }

  scan(after: readonly string[] | null, limit: number): ReturnType<RowCursor["scan"]> {
    const first = firstAfter(after);
    if (first > HIGHEST) return null;
    return { key: this.#key, lengths: this.#lengths, sql: this.#scan, parameters: [first, limit] };
  }
}

function firstAfter(after: readonly string[] | null): bigint {
  return after === null ? LOWEST : BigInt(after[0] ?? "") + 1n;
}
