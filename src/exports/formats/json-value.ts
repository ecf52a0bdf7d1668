import { isUtf8 } from "node:buffer";
import { realSql } from "./real-sql.js";
import { likelyCaseSql, typeCaseSql } from "./type-case.js";
import type { LongValue, ValueFormat } from "./value-format.js";

const NUL = 0;
const BEGIN = 1;
const END = 2;
const RANGE = `${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`;

/**
 * Numbers are numbers but for integers beyond 2^53 - 1, which are strings of digits, and infinities, `"Infinity"` and `"-Infinity"`. A BLOB is
 * `{"base64": "..."}`; text that is not valid UTF-8 is `{"base64": "...", "type": "text"}`.
 */
export function jsonValues(utf16: boolean): ValueFormat {
  const choose = utf16 ? typeCaseSql : likelyCaseSql;
  return {
    quick: (column, hint) => choose(column, hint, partsOf(column)),
    careful: null,
    isSure: (text) => !text.includes(NUL) && isUtf8(text),
    finish: hexToBase64,
    lengthOf: () => 0,
    write: writeLong,
  };
}

function partsOf(column: string): Parameters<typeof likelyCaseSql>[2] {
  return {
    // Of a generated column's JSON, SQLite remembers that it is some, and would not quote it.
    text: `json_quote(${column}||'')`,
    integer: `CASE WHEN ${column} COLLATE BINARY BETWEEN ${RANGE} THEN ${column} ELSE '"'||${column}||'"' END`,
    plainReal: `quote(${column})`,
    real: realSql(column, '"%Infinity"'),
    null: "'null'",
    // SQLite has no base64. No control character stands in JSON, so the digits between two are found again.
    blob: `concat('{"base64":"',char(${BEGIN}),hex(${column}),char(${END}),'"}')`,
  };
}

function hexToBase64(text: Buffer): Buffer {
  let from = text.indexOf(BEGIN);
  if (from < 0) return text;
  const pieces: Buffer[] = [];
  let done = 0;
  for (; from >= 0; from = text.indexOf(BEGIN, done)) {
    const end = text.indexOf(END, from);
    pieces.push(text.subarray(done, from));
    const bytes = Buffer.from(text.toString("latin1", from + 1, end), "hex");
    pieces.push(Buffer.from(bytes.toString("base64"), "latin1"));
    done = end + 1;
  }
  pieces.push(text.subarray(done));
  return Buffer.concat(pieces);
}

function* writeLong(value: LongValue): Generator<Buffer> {
  if (value.type === "text" && isValid(value)) {
    yield Buffer.from('"');
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    for (const piece of value.pieces()) yield escaped(decoder.decode(piece, { stream: true }));
    yield Buffer.from('"');
    return;
  }
  yield Buffer.from('{"base64":"');
  // All but the last are divisible by 3.
  for (const piece of value.pieces()) yield Buffer.from(piece.toString("base64"), "latin1");
  yield Buffer.from(value.type === "text" ? '","type":"text"}' : '"}');
}

function isValid(value: LongValue): boolean {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    for (const piece of value.pieces()) decoder.decode(piece, { stream: true });
    decoder.decode();
    return true;
  } catch {
    return false;
  }
}

function escaped(text: string): Buffer {
  const json = JSON.stringify(text);
  return Buffer.from(json.slice(1, -1));
}
