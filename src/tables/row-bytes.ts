import type { SqliteRow } from "./sqlite-value.js";

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
