import { realSql } from "./real-sql.js";
import { likelyCaseSql, typeCaseSql } from "./type-case.js";
import type { LongValue, ValueFormat } from "./value-format.js";

const NUL = 0;

/**
 * As PostgreSQL's `COPY ... (FORMAT csv)` reads it: text is always in quotes and nothing else is, so NULL (nothing) differs from the empty text
 * (`""`) and the text `"1"` from the number `1`. A BLOB is `\x` and hexadecimal digits, infinity is `Infinity`.
 */
export function csvValues(utf16: boolean): ValueFormat {
  const careful: ValueFormat["quick"] = (column, hint) =>
    typeCaseSql(column, hint, { ...partsOf(column), text: `concat('"',replace(${column},'"','""'),'"')` });
  return {
    quick: utf16 ? careful : (column, hint) => likelyCaseSql(column, hint, partsOf(column)),
    careful,
    isSure: (text) => utf16 || !text.includes(NUL),
    finish: (text) => text,
    lengthOf: () => 0,
    write: writeLong,
  };
}

function partsOf(column: string): Parameters<typeof likelyCaseSql>[2] {
  return {
    // Comparing ends at NUL.
    text: `CASE WHEN ${column} GLOB '*"*' THEN '"'||replace(${column},'"','""')||'"' ELSE '"'||${column}||'"' END`,
    integer: column,
    plainReal: `quote(${column})`,
    real: realSql(column, "%Infinity"),
    null: "''",
    blob: `concat('\\x',hex(${column}))`,
  };
}

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
