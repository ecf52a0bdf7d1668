import { realSql } from "./real-sql.js";
import type { LongValue, ValueFormat } from "./value-format.js";

/**
 * As PostgreSQL's `COPY ... (FORMAT csv)` reads it: text is always in quotes and nothing else is, so NULL (nothing) differs from the empty text
 * (`""`) and the text `"1"` from the number `1`. A BLOB is `\x` and hexadecimal digits, infinity is `Infinity`.
 */
export const csvValues: ValueFormat = {
  quick: (column) =>
    `CASE typeof(${column}) WHEN 'text' THEN concat('"',replace(${column},'"','""'),'"') WHEN 'integer' THEN ${column} ` +
    `WHEN 'real' THEN ${realSql(column, "%Infinity")} WHEN 'null' THEN '' ELSE concat('\\x',hex(${column})) END`,
  careful: null,
  isSure: () => true,
  finish: (text) => text,
  lengthOf: () => 0,
  write: writeLong,
};

function* writeLong(value: LongValue): Generator<Buffer> {
  if (value.type === "blob") {
    yield Buffer.from("\\x");
    for (const piece of value.pieces()) yield Buffer.from(piece.toString("hex").toUpperCase(), "latin1");
    return;
  }
  yield Buffer.from('"');
  for (const piece of value.pieces()) {
    yield piece.includes(34) ? Buffer.from(piece.toString("latin1").replaceAll('"', '""'), "latin1") : piece;
  }
  yield Buffer.from('"');
}
