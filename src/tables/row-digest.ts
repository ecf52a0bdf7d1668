import { hash } from "node:crypto";
import type { SqliteRow, SqliteValue } from "../sqlite/sqlite-value.js";

const REAL = new DataView(new ArrayBuffer(8));

/**
 * Sums the digests of rows, so that the order of rows does not matter and a database can do the same with an aggregate. The rule, which every
 * source's own SQL must follow to the byte:
 * - field: `n` for NULL, `i` + decimal digits for INTEGER, `r` + 16 lowercase hex digits of the big-endian IEEE 754 double for REAL (negative
 *   zero as zero), `t` + UTF-8 length in bytes + `:` + text for TEXT, `b` + lowercase hex for BLOB;
 * - row: fields in column order, joined by `,`;
 * - row digest: MD5 of the row's UTF-8 bytes; its first and second 32 bits, each summed over the rows without overflow;
 * - digest: `<sum of the first>:<sum of the second>`, both decimal.
 * MD5 is here for speed and because every database has it; it guards against accidents, not against forgery.
 */
export class RowDigest {
  rows = 0;
  #first = 0n;
  #second = 0n;
  // Plain numbers are exact up to 2 ** 53: 2 ** 20 rows of 32 bits leave room.
  #firstPart = 0;
  #secondPart = 0;

  add(row: SqliteRow): void {
    const digest = hash("md5", encodeRow(row), "hex");
    this.#firstPart += Number.parseInt(digest.slice(0, 8), 16);
    this.#secondPart += Number.parseInt(digest.slice(8, 16), 16);
    this.rows += 1;
    if (this.rows % 1_048_576 === 0) this.#carry();
  }

  get digest(): string {
    this.#carry();
    return `${this.#first}:${this.#second}`;
  }

  #carry(): void {
    this.#first += BigInt(this.#firstPart);
    this.#second += BigInt(this.#secondPart);
    this.#firstPart = 0;
    this.#secondPart = 0;
  }
}

/** The text that stands for a row: equal for equal rows, different for different ones. A `number` is a REAL here, a `bigint` an INTEGER. */
export function encodeRow(row: SqliteRow): string {
  let text = "";
  for (let index = 0; index < row.length; index += 1) {
    if (index > 0) text += ",";
    text += encodeField(row[index] as SqliteValue);
  }
  return text;
}

function encodeField(value: SqliteValue): string {
  if (value === null) return "n";
  if (typeof value === "bigint") return `i${value}`;
  if (typeof value === "string") return `t${Buffer.byteLength(value)}:${value}`;
  if (typeof value === "number") {
    REAL.setFloat64(0, value === 0 ? 0 : value);
    return `r${hex32(REAL.getUint32(0))}${hex32(REAL.getUint32(4))}`;
  }
  return `b${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}`;
}

function hex32(bits: number): string {
  return bits.toString(16).padStart(8, "0");
}
