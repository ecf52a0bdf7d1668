import { ReplicaError } from "../../errors.js";
import { longValue } from "./long-value.js";
import type { RowCursor, RowRange } from "./row-cursor.js";
import { type RowShape, rowSql, type ShapeColumn } from "./row-shape.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { sqlText } from "./sql-text.js";
import type { ValueFormat } from "./value-format.js";

/** About what is read at once. */
const PAGE_BYTES = 64 * 1024;
/** What is read at once when that is more than was thought. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const FIRST_LIMIT = 128;
const MAX_LIMIT = 4096;
const MAX_GROWTH = 8;
/** What SQLite takes as one statement, with room for what stands around the values. */
const MAX_ROW_BYTES = 999_000_000;
const COLUMNS_PER_QUERY = 500;

type After = RowRange["after"];

/** What was written, and what it taught about the rows to come. */
export interface WrittenRows {
  readonly last: readonly string[];
  readonly rows: number;
  readonly pace: Pace;
}

/** How the next rows are tried. */
interface Pace {
  readonly limit: number;
  readonly careful: boolean;
  readonly gaps: boolean;
}

const FIRST_PACE: Pace = { limit: FIRST_LIMIT, careful: false, gaps: false };

/** The rows of a table as text. */
export class TableRows {
  readonly #reader: SnapshotReader;
  readonly #name: string;
  readonly #cursor: RowCursor;
  readonly #values: ValueFormat;
  readonly #shape: RowShape;
  readonly #gapShape: RowShape;

  /** @param gapShape for rows whose rowids are not each one more than the last; `null` where that makes no difference. */
  constructor(
    reader: SnapshotReader,
    name: string,
    cursor: RowCursor,
    values: ValueFormat,
    shape: RowShape,
    gapShape: RowShape | null,
  ) {
    this.#reader = reader;
    this.#name = name;
    this.#cursor = cursor;
    this.#values = values;
    this.#shape = shape;
    this.#gapShape = gapShape ?? shape;
  }

  hasMore(after: After): boolean {
    return this.#cursor.next(after, 1) !== null;
  }

  /**
   * The next rows, some 64 KiB or one; `null` after the last.
   * @param pace what the last call gave; `undefined` for the first of a part, so that each part is cut the same way whoever writes it.
   */
  *write(after: After, pace: Pace = FIRST_PACE): Generator<Buffer, WrittenRows | null, void> {
    const page = this.#quickPage(after, pace);
    if (page === null) return yield* this.#writeMeasured(after, pace);
    if (page.text === null) return null;
    yield* wrapped(after, page.shape, page.text);
    const fitting = Math.ceil((page.rows * PAGE_BYTES) / (page.text.length + 1));
    const limit = Math.min(fitting, pace.limit * MAX_GROWTH, MAX_LIMIT);
    return { last: page.last, rows: page.rows, pace: { ...page.pace, limit } };
  }

  /**
   * What most pages are: one statement that makes the text of all rows, unless one of them is so long that all could be too much. `null` where
   * this is no such page; `text` is `null` after the last row.
   */
  #quickPage(
    after: After,
    pace: Pace,
  ): { text: Buffer | null; shape: RowShape; last: readonly string[]; rows: number; pace: Pace } | null {
    const { limit } = pace;
    let { careful, gaps } = pace;
    const scan = this.#cursor.scan(after, limit);
    if (scan === null) return null;
    const longest = Math.floor(MAX_PAGE_BYTES / limit);
    for (;;) {
      const shape = gaps ? this.#gapShape : this.#shape;
      const text = this.#reader.bytes(`group_concat(t, ${sqlText(shape.between)})`);
      const size = careful ? this.#cursor.bytes : scan.lengths;
      const row = `CASE WHEN ${size} <= ? THEN ${rowSql(shape, this.#values, careful)} END`;
      const sql = `SELECT ${text}, count(*), count(t), max(k) FROM (SELECT ${scan.key} AS k, ${row} AS t FROM ${scan.sql})`;
      const found = this.#reader.row(sql, [longest, ...scan.parameters]) as [unknown, ...bigint[]];
      const [value, count = 0n, short = 0n, key = 0n] = found;
      const rows = Number(count);
      const last = [String(key)];
      if (rows === 0) return { text: null, shape, last, rows, pace };
      if (short < count) return null;
      if (!gaps && this.#gapShape !== this.#shape && !this.#areCounted(after, key, rows)) {
        gaps = true;
        continue;
      }
      const made = this.#reader.buffer(value);
      if (!careful && !this.#values.isSure(made)) {
        if (this.#values.careful === null) return null;
        careful = true;
        continue;
      }
      return { text: this.#values.finish(made), shape, last, rows, pace: { limit, careful, gaps } };
    }
  }

  /** Whether SQLite would number these rows so by itself: each one more than the highest so far, from 1. */
  #areCounted(after: After, last: bigint, rows: number): boolean {
    const before = after === null ? 0n : BigInt(after[0] ?? "");
    // So many different numbers between these two are all of them.
    if (before < 0n || last !== before + BigInt(rows)) return false;
    return after !== null || this.#cursor.next(null, 1)?.last[0] === "1";
  }

  /** After a look at how long the next rows are. */
  *#writeMeasured(after: After, pace: Pace): Generator<Buffer, WrittenRows | null, void> {
    let range = this.#cursor.next(after, pace.limit);
    if (range === null) return null;
    while (range.bytes > PAGE_BYTES && range.rows > 1) {
      const fewer = Math.max(1, Math.floor((range.rows * PAGE_BYTES) / range.bytes / 1.25));
      const shorter = this.#cursor.next(after, fewer);
      if (shorter === null) break;
      range = shorter;
    }
    yield* this.#writeRange(range);
    const fitting = Math.max(1, Math.floor((range.rows * PAGE_BYTES) / (range.bytes + 1)));
    const limit = Math.min(fitting, range.rows * 2 + 1, MAX_LIMIT);
    return {
      last: range.last,
      rows: range.rows,
      pace: { ...pace, limit: Math.max(limit, Math.min(fitting, pace.limit)) },
    };
  }

  *#writeRange(range: RowRange): Generator<Buffer, void, void> {
    const { after } = range;
    const isPlain = this.#gapShape === this.#shape || this.#areCounted(after, BigInt(range.last[0] ?? ""), range.rows);
    const shape = isPlain ? this.#shape : this.#gapShape;
    if (range.bytes <= PAGE_BYTES) {
      const text = this.#textOf(range, shape);
      if (text !== null) {
        yield* wrapped(after, shape, text);
        return;
      }
    }
    yield Buffer.from(shape.begin(after));
    let before = after;
    for (let row = 0; row < range.rows; row += 1) {
      const one = this.#cursor.next(before, 1);
      if (one === null) break;
      if (row > 0) yield Buffer.from(shape.between);
      yield* this.#writeRow(one, shape);
      before = one.last;
    }
    yield Buffer.from(shape.end);
  }

  /** All at once; `null` where that would not be right. */
  #textOf({ source }: RowRange, shape: RowShape): Buffer | null {
    const make = (careful: boolean): Buffer => {
      const text = `group_concat(${rowSql(shape, this.#values, careful)}, ${sqlText(shape.between)})`;
      const sql = `SELECT ${this.#reader.bytes(text)} FROM ${source.sql}`;
      return this.#reader.buffer(this.#reader.value(sql, source.parameters));
    };
    const quick = make(false);
    if (this.#values.isSure(quick)) return this.#values.finish(quick);
    return this.#values.careful === null ? null : make(true);
  }

  /** One row value by value, none of which need fit into memory twice. */
  *#writeRow(row: RowRange, shape: RowShape): Generator<Buffer, void, void> {
    for (let from = 0; from < shape.columns.length; from += COLUMNS_PER_QUERY) {
      yield* this.#writeColumns(row, shape.columns.slice(from, from + COLUMNS_PER_QUERY));
    }
    yield Buffer.from(shape.close);
  }

  *#writeColumns(row: RowRange, columns: readonly ShapeColumn[]): Generator<Buffer, void, void> {
    const { source } = row;
    const values = this.#values;
    const selected = columns.map(({ sql, hint }) => {
      const text = (values.careful ?? values.quick)(sql, hint);
      const short = `CASE WHEN ifnull(octet_length(${sql}), 0) <= ${PAGE_BYTES} THEN ${text} END`;
      return `typeof(${sql}), octet_length(${sql}), ${this.#reader.bytes(short)}`;
    });
    const found = this.#reader.row(`SELECT ${selected.join(", ")} FROM ${source.sql}`, source.parameters) ?? [];
    let rowBytes = 0;
    const pieces = columns.map(({ sql, label }, index) => {
      const type = found[index * 3] as string;
      const byteLength = Number(found[index * 3 + 1] ?? 0);
      const text = this.#reader.buffer(found[index * 3 + 2]);
      const isShort = byteLength <= PAGE_BYTES;
      if (isShort && (values.careful !== null || values.isSure(text)))
        return { label, text: values.finish(text), long: null };
      const long = longValue(this.#reader, source, sql, type === "text" ? "text" : "blob", byteLength);
      rowBytes += values.lengthOf(long);
      return { label, text: null, long };
    });
    if (rowBytes > MAX_ROW_BYTES) throw tooLong(this.#name);
    for (const { label, text, long } of pieces) {
      if (label !== "") yield Buffer.from(label);
      if (text !== null) yield text;
      else if (long !== null) yield* values.write(long);
    }
  }
}

/** In pieces: putting them together would take the memory twice. */
function* wrapped(after: After, shape: RowShape, text: Buffer): Generator<Buffer, void, void> {
  const begin = shape.begin(after);
  if (begin !== "") yield Buffer.from(begin);
  yield text;
  if (shape.end !== "") yield Buffer.from(shape.end);
}

function tooLong(table: string): ReplicaError {
  return new ReplicaError(
    "LOCAL_DATABASE",
    `A row of table "${table}" would be a statement of more than 1 000 000 000 bytes, which SQLite does not read.`,
    { hint: "Leave the table out, or export it in another format." },
  );
}
