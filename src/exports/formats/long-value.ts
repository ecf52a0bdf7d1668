import type { SnapshotReader } from "./snapshot-reader.js";
import type { LongValue } from "./value-format.js";

/** SQLite loads the whole value for each, so not too small. */
const WINDOW_BYTES = 16 * 1024 * 1024;
/** What is handed on at once. Divisible by 3, for base64 without padding in the middle. */
const PIECE_BYTES = 384 * 1024;

/** The text or BLOB in `column` of the one row that `source` gives. */
export function longValue(
  reader: SnapshotReader,
  source: { readonly sql: string; readonly parameters: readonly unknown[] },
  column: string,
  type: "text" | "blob",
  byteLength: number,
): LongValue {
  function* windows(): Generator<Buffer> {
    const sql = `SELECT substr(CAST(${column} AS BLOB), ?, ?) FROM ${source.sql}`;
    for (let from = 0; from < byteLength; from += WINDOW_BYTES) {
      yield reader.buffer(reader.value(sql, [from + 1, WINDOW_BYTES, ...source.parameters]));
    }
  }
  function* utf8(): Generator<Buffer> {
    yield reader.buffer(reader.value(`SELECT ${column} FROM ${source.sql}`, source.parameters));
  }
  return {
    type,
    byteLength,
    pieces: () => cut(reader.utf16 && type === "text" ? utf8() : windows()),
    storedPieces: () => cut(windows()),
    holds: (condition) => reader.value(`SELECT ${condition(column)} FROM ${source.sql}`, source.parameters) === 1n,
  };
}

/** Pieces of `PIECE_BYTES`, all but the last: windows are not divisible by it. */
function* cut(windows: Iterable<Buffer>): Generator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for (const window of windows) {
    let from = 0;
    if (rest.length > 0) {
      from = Math.min(PIECE_BYTES - rest.length, window.length);
      rest = Buffer.concat([rest, window.subarray(0, from)]);
      if (rest.length < PIECE_BYTES) continue;
      yield rest;
    }
    for (; from + PIECE_BYTES <= window.length; from += PIECE_BYTES) yield window.subarray(from, from + PIECE_BYTES);
    // A copy, so that the window is free when the next comes.
    rest = Buffer.from(window.subarray(from));
  }
  if (rest.length > 0) yield rest;
}
