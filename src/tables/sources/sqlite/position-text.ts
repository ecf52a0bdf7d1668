import type { SqliteValue } from "../../../sqlite/sqlite-value.js";

/** A value as text that keeps its storage class and every digit: `12`, `1.5`, `"text"`, `x'00ff'`, `null`. */
export function writePosition(value: SqliteValue): string {
  if (value === null) return "null";
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    const digits = Object.is(value, -0) ? "0" : String(value);
    return /^-?\d+$/.test(digits) ? `${digits}.0` : digits;
  }
  return `x'${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}'`;
}

/** The value again. @throws `SyntaxError` for what {@link writePosition} did not write. */
export function readPosition(text: string): SqliteValue {
  if (text === "null") return null;
  if (text.startsWith('"')) return JSON.parse(text) as string;
  if (text.startsWith("x'")) return Buffer.from(text.slice(2, -1), "hex");
  if (/^-?\d+$/.test(text)) return BigInt(text);
  const value = Number(text);
  if (text === "" || Number.isNaN(value)) throw new SyntaxError(`Not a position of a SQLite source: ${text}`);
  return value;
}
