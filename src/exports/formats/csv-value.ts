import { realSql } from "./real-sql.js";
import { typeCaseSql } from "./type-case.js";
import type { LongValue, ValueFormat } from "./value-format.js";

/**
 * As PostgreSQL's `COPY ... (FORMAT csv)` reads it: text is always in quotes and nothing else is, so NULL (nothing) differs from the empty text
 * (`""`) and the text `"1"` from the number `1`. A BLOB is `\x` and hexadecimal digits, infinity is `Infinity`.
 */
export const csvValues: ValueFormat = {
  quick: (column, hint) =>
    typeCaseSql(column, hint, {
      text: `concat('"',replace(${column},'"','""'),'"')`,
      integer: column,
      real: realSql(column, "%Infinity"),
      null: "''",
      blob: `concat('\\x',hex(${column}))`,
    }),
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
