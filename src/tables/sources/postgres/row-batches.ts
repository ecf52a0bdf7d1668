import { ReplicaError } from "../../../errors.js";
import type { SqliteValue } from "../../../sqlite/sqlite-value.js";
import { MAX_TIES, type SourceBatch } from "../table-source.js";
import type { Quantity } from "./quantity.js";
import type { TextRow } from "./row-stream.js";
import { type LossCounter, valueReader } from "./value-reader.js";

/** What the texts of a row are. */
export interface RowShape {
  readonly columns: readonly Quantity[];
  /** Where in the selected row the keyset's texts stand; beyond `columns` for those that are selected for this alone. */
  readonly keyset: readonly number[];
  /** What the keyset's texts are, for telling equal values. */
  readonly keysetKinds: readonly Quantity[];
}

export interface BatchOptions {
  readonly batchSize: number;
  readonly wholeTies: boolean;
  /** Integers as `bigint`. */
  readonly exact: boolean;
  /** For errors. */
  readonly table: string;
}

/** A batch of very wide rows ends early, so that memory stays bounded. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/** Cuts a stream of text rows into batches of local values. Rows are changed in place. */
export class RowBatches {
  readonly #shape: RowShape;
  readonly #options: BatchOptions;
  readonly #losses: LossCounter = { lossyValues: 0 };
  readonly #readers: readonly ReturnType<typeof valueReader>[];
  readonly #extra: boolean;
  #rows: TextRow[] = [];
  #start = 0;
  #bytes = 0;

  constructor(shape: RowShape, options: BatchOptions) {
    this.#shape = shape;
    this.#options = options;
    this.#readers = shape.columns.map((quantity) => valueReader(quantity, options.exact, this.#losses));
    this.#extra = shape.keyset.some((index) => index >= shape.columns.length);
  }

  /** Rows that are missing before the next batch can be complete. */
  get wanted(): number {
    return Math.max(1, this.#options.batchSize + 1 - (this.#rows.length - this.#start));
  }

  add(rows: TextRow[], bytes: number): void {
    if (this.#start === this.#rows.length) this.#rows = rows;
    else this.#rows = this.#rows.slice(this.#start).concat(rows);
    this.#start = 0;
    this.#bytes += bytes;
  }

  /** The next batch, or `undefined` while it is not complete. `ended`: no rows come any more. */
  next(ended: boolean): SourceBatch | undefined {
    const waiting = this.#rows.length - this.#start;
    if (waiting === 0) return undefined;
    const wide = this.#bytes >= MAX_BATCH_BYTES;
    const { batchSize, wholeTies } = this.#options;
    if (!ended && !wide && waiting < batchSize) return undefined;
    let end = wide && waiting > 1 ? this.#byBytes(waiting, batchSize) : this.#start + Math.min(batchSize, waiting);
    if (wholeTies) {
      end = this.#endOfTies(end);
      if (end === this.#rows.length && !ended) return undefined;
    }
    return this.#cut(end);
  }

  #byBytes(waiting: number, batchSize: number): number {
    const fitting = Math.ceil((waiting * MAX_BATCH_BYTES) / this.#bytes);
    return this.#start + Math.min(waiting, batchSize, fitting);
  }

  #endOfTies(from: number): number {
    let end = from;
    while (end < this.#rows.length && this.#isTie(end - 1, end)) end += 1;
    let first = end - 1;
    const limit = end - this.#start > MAX_TIES ? this.#start : end;
    while (first > limit && this.#isTie(first - 1, first)) first -= 1;
    if (end - first > MAX_TIES) {
      throw new ReplicaError(
        "TOO_MANY_TIES",
        `${this.#options.table}: more than ${MAX_TIES} rows share one cursor value, and there is no primary key to tell them apart`,
        { hint: 'Give the table a primary key, choose a finer cursor column, or use mode "full".' },
      );
    }
    return end;
  }

  #isTie(left: number, right: number): boolean {
    const a = this.#rows[left] as TextRow;
    const b = this.#rows[right] as TextRow;
    return this.#shape.keyset.every((index, part) => {
      return isSame(a[index] ?? null, b[index] ?? null, this.#shape.keysetKinds[part] as Quantity);
    });
  }

  #cut(end: number): SourceBatch {
    const waiting = this.#rows.length - this.#start;
    const rows = this.#start === 0 && end === this.#rows.length ? this.#rows : this.#rows.slice(this.#start, end);
    const bytes = Math.round((this.#bytes * rows.length) / waiting);
    const lastRow = rows.at(-1);
    const last = this.#shape.keyset.map((index) => lastRow?.[index] ?? "");
    this.#start = end;
    this.#bytes -= bytes;
    this.#losses.lossyValues = 0;
    this.#convert(rows);
    return { rows, last, bytes, lossyValues: this.#losses.lossyValues };
  }

  #convert(rows: SqliteValue[][]): void {
    const width = this.#readers.length;
    if (this.#extra) for (const row of rows) row.length = width;
    for (let column = 0; column < width; column += 1) {
      const read = this.#readers[column];
      if (read === null || read === undefined) continue;
      for (let index = 0; index < rows.length; index += 1) {
        const row = rows[index] as SqliteValue[];
        const text = row[column];
        if (text !== null) row[column] = read(text as string);
      }
    }
  }
}

/** Texts may differ where values do not: 1.0 and 1.00. */
function isSame(a: string | null, b: string | null, kind: Quantity): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  if (kind === "double") return Number(a) === Number(b);
  return kind === "decimal" && withoutZeros(a) === withoutZeros(b);
}

function withoutZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
