import { ReplicaError } from "../../errors.js";
import { longValue } from "./long-value.js";
import type { RowCursor, RowRange } from "./row-cursor.js";
import { type RowShape, rowSql, type ShapeColumn } from "./row-shape.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import { sqlText } from "./sql-text.js";
import type { ValueFormat } from "./value-format.js";

/** About what is read at once. */
const PAGE_BYTES = 256 * 1024;
const FIRST_LIMIT = 256;
const MAX_LIMIT = 4096;
/** What SQLite takes as one statement, with room for what stands around the values. */
const MAX_ROW_BYTES = 999_000_000;
const COLUMNS_PER_QUERY = 500;

/** What was written, and how many rows to try next. */
export interface WrittenRows {
  readonly last: readonly string[];
  readonly rows: number;
  readonly limit: number;
}

/** The rows of a table as text. */
export class TableRows {
  readonly #reader: SnapshotReader;
  readonly #name: string;
  readonly #cursor: RowCursor;
  readonly #values: ValueFormat;
  readonly #shapeOf: (range: RowRange) => RowShape;
  readonly #sql = new Map<RowShape, { readonly quick: string; readonly careful: string }>();

  constructor(
    reader: SnapshotReader,
    name: string,
    cursor: RowCursor,
    values: ValueFormat,
    shapeOf: (range: RowRange) => RowShape,
  ) {
    this.#reader = reader;
    this.#name = name;
    this.#cursor = cursor;
    this.#values = values;
    this.#shapeOf = shapeOf;
  }

  hasMore(after: readonly string[] | null): boolean {
    return this.#cursor.next(after, 1) !== null;
  }

  /**
   * The next rows, some 256 KiB or one; `null` after the last.
   * @param limit what the last call gave; `undefined` for the first of a part, so that each part is cut the same way whoever writes it.
   */
  *write(after: readonly string[] | null, limit: number | undefined): Generator<Buffer, WrittenRows | null, void> {
    const wanted = limit ?? FIRST_LIMIT;
    let range = this.#cursor.next(after, wanted);
    if (range === null) return null;
    while (range.bytes > PAGE_BYTES && range.rows > 1) {
      const fewer = Math.max(1, Math.floor((range.rows * PAGE_BYTES) / range.bytes / 1.25));
      const shorter = this.#cursor.next(after, fewer);
      if (shorter === null) break;
      range = shorter;
    }
    yield* this.#writeRange(range);
    const roomy = range.bytes < PAGE_BYTES / 2;
    const next = roomy ? Math.max(wanted, Math.min(range.rows * 2, MAX_LIMIT)) : range.rows;
    return { last: range.last, rows: range.rows, limit: next };
  }

  *#writeRange(range: RowRange): Generator<Buffer, void, void> {
    const shape = this.#shapeOf(range);
    if (range.bytes <= PAGE_BYTES) {
      const text = this.#textOf(range, shape);
      if (text !== null) {
        yield Buffer.concat([Buffer.from(shape.begin(range)), text, Buffer.from(shape.end)]);
        return;
      }
    }
    yield Buffer.from(shape.begin(range));
    let after = range.after;
    for (let row = 0; row < range.rows; row += 1) {
      const one = this.#cursor.next(after, 1);
      if (one === null) break;
      if (row > 0) yield Buffer.from(shape.between);
      yield* this.#writeRow(one, shape);
      after = one.last;
    }
    yield Buffer.from(shape.end);
  }

  /** All at once; `null` where that would not be right. */
  #textOf(range: RowRange, shape: RowShape): Buffer | null {
    let sql = this.#sql.get(shape);
    if (sql === undefined) {
      const page = (careful: boolean): string => {
        const text = `group_concat(${rowSql(shape, this.#values, careful)}, ${sqlText(shape.between)})`;
        return `SELECT ${this.#reader.bytes(text)} FROM `;
      };
      sql = { quick: page(false), careful: page(true) };
      this.#sql.set(shape, sql);
    }
    const { source } = range;
    const quick = this.#reader.buffer(this.#reader.value(sql.quick + source.sql, source.parameters));
    if (this.#values.isSure(quick)) return this.#values.finish(quick);
    if (this.#values.careful === null) return null;
    return this.#reader.buffer(this.#reader.value(sql.careful + source.sql, source.parameters));
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
    const selected = columns.map(({ sql }) => {
      const text = (values.careful ?? values.quick)(sql);
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

function tooLong(table: string): ReplicaError {
  return new ReplicaError(
    "LOCAL_DATABASE",
    `A row of table "${table}" would be a statement of more than 1 000 000 000 bytes, which SQLite does not read.`,
    { hint: "Leave the table out, or export it in another format." },
  );
}
