import { isNegativeZeroSql } from "./real-sql.js";
import { likelyCaseSql, typeCaseSql } from "./type-case.js";
import type { LongValue, ValueFormat } from "./value-format.js";

const NUL = 0;
const CARRIAGE_RETURN = 13;
const QUOTE = 39;

/**
 * Literals. Text that holds NUL, at which SQLite would end the literal, is `CAST(X'...' AS TEXT)`. So is, or is made with `replace`, text with
 * a carriage return: the shell drops one that stands before a line feed. In UTF-16, text beyond U+D7FF goes by its bytes too, for
 * halves of surrogate pairs.
 */
export function sqlValues(utf16: boolean): ValueFormat {
  const careful: ValueFormat["quick"] = (column, hint) =>
    typeCaseSql(column, hint, { ...partsOf(column), text: carefulTextSql(column, utf16) });
  return {
    quick: utf16 ? careful : (column, hint) => likelyCaseSql(column, hint, partsOf(column)),
    careful,
    isSure: (text) => utf16 || !(text.includes(CARRIAGE_RETURN) || text.includes(NUL)),
    finish: (text) => text,
    lengthOf: (value) => value.byteLength * (value.type === "blob" || utf16 ? 2 : 1),
    write: (value) => writeLong(value, utf16),
  };
}

function partsOf(column: string): Parameters<typeof likelyCaseSql>[2] {
  return {
    // Comparing ends at NUL.
    text: `CASE WHEN ${column} GLOB '*''*' THEN ''''||replace(${column},'''','''''')||'''' ELSE ''''||${column}||'''' END`,
    integer: column,
    plainReal: plainRealSql(column),
    real: realLiteralSql(column),
    null: "'NULL'",
    blob: `quote(${column})`,
  };
}

/**
 * SQLite 3.40, in Debian 12, now and then reads a decimal with the last bit wrong: one in thousands of those with more than four places, but
 * none of 17 or more digits that are nearest to a real. `quote` leaves digits out where its own SQLite would know them.
 */
function plainRealSql(column: string): string {
  return `CASE WHEN CAST(round(${column}*1e4) AS INTEGER)/1e4 = ${column} COLLATE BINARY THEN quote(${column}) ELSE ${digitsSql(column)} END`;
}

function digitsSql(value: string): string {
  return `format('%!0.18g',${value})`;
}

/** Below 1e-291 no number of digits is enough for it: there a larger real and a power of two, whose quotient is exact. */
function realLiteralSql(column: string): string {
  const scale = "4.149515568880993e+180"; // 2^600
  return (
    `CASE WHEN abs(${column}) >= 1e-290 THEN ${plainRealSql(column)} ` +
    `WHEN abs(${column}) <> 0.0 THEN concat(${digitsSql(`${column}*${scale}`)},'/${scale}') ` +
    `WHEN ${isNegativeZeroSql(column)} THEN '-0.0' ELSE '0.0' END`
  );
}

function carefulTextSql(column: string, utf16: boolean): string {
  const bytes = `concat('CAST(X''',hex(CAST(${column} AS BLOB)),''' AS TEXT)')`;
  const replaced = `concat('replace(',quote(replace(${column},char(13),'\\r')),',''\\r'',char(13))')`;
  return (
    `CASE WHEN ${needsBytes(column, utf16)} THEN ${bytes} WHEN instr(${column},char(13)) = 0 THEN quote(${column}) ` +
    `WHEN instr(${column},'\\r') THEN ${bytes} ELSE ${replaced} END`
  );
}

function needsBytes(column: string, utf16: boolean): string {
  const hasNul = `instr(${column},char(0))`;
  // GLOB reads a half of a pair as something beyond U+D7FF.
  return utf16 ? `(${hasNul} OR ${column} GLOB concat('*[^',char(1),'-',char(55295),']*'))` : hasNul;
}

function* writeLong(value: LongValue, utf16: boolean): Generator<Buffer> {
  const isBlob = value.type === "blob";
  const asBytes =
    isBlob || utf16 || value.holds((column) => `(instr(${column},char(0)) OR instr(${column},char(13))) <> 0`);
  if (!asBytes) {
    yield Buffer.from("'");
    for (const piece of value.pieces()) yield doubled(piece);
    yield Buffer.from("'");
    return;
  }
  yield Buffer.from(isBlob ? "X'" : "CAST(X'");
  for (const piece of value.storedPieces()) yield Buffer.from(piece.toString("hex").toUpperCase(), "latin1");
  yield Buffer.from(isBlob ? "'" : "' AS TEXT)");
}

function doubled(piece: Buffer): Buffer {
  if (!piece.includes(QUOTE)) return piece;
  return Buffer.from(piece.toString("latin1").replaceAll("'", "''"), "latin1");
}
