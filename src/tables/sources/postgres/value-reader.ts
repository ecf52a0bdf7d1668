import type { SqliteValue } from "../../../sqlite/sqlite-value.js";
import { isExactAsDouble } from "./numeric-text.js";
import type { Quantity } from "./quantity.js";
import { toIsoDate, toIsoTimestamp, toIsoTimestampUtc } from "./time-text.js";

/** Counts the values that lost digits. */
export interface LossCounter {
  lossyValues: number;
}

export type ValueReader = (text: string) => SqliteValue;

/** Reads texts as local values. `null`: they are the values. `exact`: every integer as `bigint`, as a SQLite file gives it back. */
export function valueReader(quantity: Quantity, exact: boolean, losses: LossCounter): ValueReader | null {
  switch (quantity) {
    case "text":
      return null;
    case "integer":
      return exact ? BigInt : readInteger;
    case "boolean":
      return exact ? (text) => (text === "t" ? 1n : 0n) : (text) => (text === "t" ? 1 : 0);
    case "double":
      return readDouble;
    case "decimal":
      return (text) => {
        const value = Number(text);
        if (text === "NaN") return text;
        if (!isExactAsDouble(text, value) && !text.endsWith("Infinity")) losses.lossyValues += 1;
        return value;
      };
    case "bytes":
      return (text) => Buffer.from(text.slice(2), "hex");
    case "date":
      return toIsoDate;
    case "timestamp":
      return toIsoTimestamp;
    case "timestamptz":
      return toIsoTimestampUtc;
  }
}

function readInteger(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** SQLite has no NaN, it would keep NULL; and no negative zero, which adding 0 makes zero. */
function readDouble(text: string): number | string {
  return text === "NaN" ? text : Number(text) + 0;
}
