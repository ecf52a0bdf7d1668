import { ReplicaError } from "../../../errors.js";
import { rowBytes, type SqliteRow, type SqliteValue } from "../../../sqlite/sqlite-value.js";
import { MAX_TIES, type ReadRequest, type SourceBatch } from "../table-source.js";
import { writePosition } from "./position-text.js";

/** A batch of very wide rows ends early, so that memory stays bounded. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/**
 * Cuts rows, as they come, into the batches of a request.
 * @param integers `plain`: as a `number` where one can hold them and the local column makes it an INTEGER again.
 */
export async function* batchRows(
  request: ReadRequest,
  pieces: AsyncIterable<SqliteRow[]>,
  integers: "bigint" | "plain",
): AsyncGenerator<SourceBatch> {
  const { table, keyset, batchSize, wholeTies = false } = request;
  const places = keyset.map((name) => table.columns.findIndex((column) => column.name === name));
  const keyPlaces = table.columns.flatMap((column, index) =>
    column.nullable && table.primaryKey.includes(column.name) ? [index] : [],
  );
  const lastOf = (row: SqliteRow): string[] => places.map((place) => writePosition(row[place] ?? null));
  const plainPlaces = table.columns.flatMap((column, index) =>
    integers === "plain" && /^(integer|numeric)$/.test(column.mapping) ? [index] : [],
  );
  let rows: SqliteRow[] = [];
  let bytes = 0;
  let ties = 0;
  const isFull = (): boolean => rows.length >= batchSize || bytes >= MAX_BATCH_BYTES;
  const take = (): SourceBatch => {
    const batch = { rows, last: lastOf(rows.at(-1) ?? []), bytes, lossyValues: 0 };
    for (const row of rows) makePlain(row as SqliteValue[], plainPlaces);
    rows = [];
    bytes = 0;
    return batch;
  };
  for await (const piece of pieces) {
    for (const row of piece) {
      if (keyPlaces.some((place) => row[place] === null)) throw nullKey(table.name);
      const before = rows.at(-1);
      const tied = wholeTies && before !== undefined && places.every((place) => same(before[place], row[place]));
      ties = tied ? ties + 1 : 1;
      if (ties > MAX_TIES) throw tooManyTies(table.name, keyset);
      if (isFull() && !tied) yield take();
      rows.push(row);
      bytes += rowBytes(row);
    }
    if (!wholeTies && isFull()) yield take();
  }
  if (rows.length > 0) yield take();
}

function makePlain(row: SqliteValue[], places: readonly number[]): void {
  for (const place of places) {
    const value = row[place];
    if (typeof value !== "bigint") continue;
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) row[place] = Number(value);
  }
}

function same(left: SqliteValue | undefined, right: SqliteValue | undefined): boolean {
  if (left === right) return true;
  return left instanceof Uint8Array && right instanceof Uint8Array && Buffer.compare(left, right) === 0;
}

function nullKey(table: string): ReplicaError {
  return new ReplicaError("SOURCE_FAILED", `A row of "${table}" has NULL in its primary key.`, {
    hint: "Give the row a key, or declare the key NOT NULL; the next run treats the table as one without a primary key.",
    retryable: true,
  });
}

function tooManyTies(table: string, keyset: readonly string[]): ReplicaError {
  const what = keyset.length === 0 ? "rows to be kept together" : `rows with the same ${keyset.join(", ")}`;
  return new ReplicaError("TOO_MANY_TIES", `"${table}" has no primary key and more than ${MAX_TIES} ${what}.`, {
    hint: 'Give the table a primary key, follow a column with more different values, or use mode "full".',
  });
}
