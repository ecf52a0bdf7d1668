/**
 * A value as SQLite keeps it. A `bigint` is an INTEGER, a `number` is a REAL unless it is an integer that a column of INTEGER affinity
 * takes, a string is TEXT, bytes are a BLOB.
 */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/** The values of one row, in the order of the columns that were asked for. */
export type SqliteRow = readonly SqliteValue[];

/** About how many bytes the row's values take in the file. */
export function rowBytes(row: SqliteRow): number {
  let bytes = 0;
  for (const value of row) {
    if (typeof value === "string") bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
    else if (value !== null) bytes += 8;
  }
  return bytes;
}
