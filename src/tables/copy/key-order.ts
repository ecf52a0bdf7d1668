import type { SqliteRow, SqliteValue } from "../../sqlite/sqlite-value.js";

/** Compares two keys as SQLite does with the BINARY collation: numbers before texts before blobs, texts by their UTF-8 bytes. */
export function compareKeys(left: SqliteRow, right: SqliteRow): number {
  for (let index = 0; index < left.length; index += 1) {
    const order = compareValues(left[index] as SqliteValue, right[index] as SqliteValue);
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether two rows hold the same values of the same storage classes. */
export function equalRows(left: SqliteRow, right: SqliteRow): boolean {
  return left.length === right.length && left.every((value, index) => equalValues(value, right[index] as SqliteValue));
}

/** A text that is equal for equal keys. */
export function nameKey(key: SqliteRow): string {
  return JSON.stringify(key.map(nameValue));
}

function nameValue(value: SqliteValue): unknown {
  if (typeof value === "bigint") return `i${value}`;
  if (typeof value === "string") return `t${value}`;
  return value instanceof Uint8Array ? `b${Buffer.from(value).toString("hex")}` : value;
}

function equalValues(left: SqliteValue, right: SqliteValue): boolean {
  if (left === right) return true;
  return left instanceof Uint8Array && right instanceof Uint8Array && Buffer.compare(left, right) === 0;
}

function compareValues(left: SqliteValue, right: SqliteValue): number {
  const classes = storageOrder(left) - storageOrder(right);
  if (classes !== 0) return classes;
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  if (typeof left === "string" && typeof right === "string") return compareTexts(left, right);
  // The same class, so that both are numbers or both are NULL. JavaScript compares bigint and number exactly.
  return left === right ? 0 : (left as number) < (right as number) ? -1 : (left as number) > (right as number) ? 1 : 0;
}

function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  // JavaScript orders by UTF-16 units, which differs from UTF-8's order beyond the basic plane.
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function storageOrder(value: SqliteValue): number {
  if (value === null) return 0;
  if (typeof value === "string") return 2;
  return value instanceof Uint8Array ? 3 : 1;
}
