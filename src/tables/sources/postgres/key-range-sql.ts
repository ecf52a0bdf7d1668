import type { SqliteRow, SqliteValue } from "../../../sqlite/sqlite-value.js";
import type { SourceTable } from "../source-table.js";
import type { KeyRange } from "../table-source.js";
import { type KeyPart, keyPart } from "./key-part.js";
import { quoteName } from "./quote-name.js";
import { isUsualTime } from "./usual-time.js";

export interface RangeSql {
  /** A condition, `true` where there are no bounds. Columns are those of `t`. */
  readonly where: string;
  readonly values: readonly string[];
  readonly orderBy: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Where a bound stands: at a value; just above one (that no row has); below or above all values of the column. */
type Place = { readonly at: string } | { readonly above: string } | "below all" | "above all";

/** A range of local keys as SQL. */
export function rangeSql(table: SourceTable, range: KeyRange, utf8: boolean): RangeSql {
  const conditions: string[] = [];
  const values: string[] = [];
  const plain = table.primaryKey.map((name) => keyPart(table, name, utf8));
  if (range.lower !== null) conditions.push(compare(table, range.lower, ">", values, utf8));
  if (range.upper !== null) conditions.push(compare(table, range.upper, "<=", values, utf8));
  conditions.push(...narrow(table, range, values, utf8));
  return {
    where: conditions.length === 0 ? "true" : conditions.join(" AND "),
    values,
    orderBy: plain.map((part) => part.expression).join(", "),
  };
}

/**
 * What a range of a key of several columns says about each column alone. It adds nothing to what the rows are, but the planner guesses a quarter of the
 * table for two row comparisons, however near to each other, and would scan the table for each range.
 */
function narrow(table: SourceTable, { lower, upper }: KeyRange, values: string[], utf8: boolean): string[] {
  const conditions: string[] = [];
  if (table.primaryKey.length < 2 || lower === null || upper === null) return conditions;
  for (const [index, name] of table.primaryKey.entries()) {
    const from = placed(table, name, lower[index] ?? null, utf8);
    const to = placed(table, name, upper[index] ?? null, utf8);
    const { part } = from;
    // Only what an index may serve; an `above` is no value of the column, so that nothing is said of those after it.
    if (!isAt(from.place) || !isAt(to.place) || part.expression !== to.part.expression) break;
    if (part.expression !== `t.${quoteName(name)}`) break;
    const [low, high] = [from.place.at, to.place.at];
    if (low !== high) {
      conditions.push(`${part.expression} >= ${parameterSql(part, low, values, utf8)}`);
      conditions.push(`${part.expression} <= ${parameterSql(part, high, values, utf8)}`);
      break;
    }
    conditions.push(`${part.expression} = ${parameterSql(part, low, values, utf8)}`);
  }
  return conditions;
}

function compare(table: SourceTable, bound: SqliteRow, operator: ">" | "<=", values: string[], utf8: boolean): string {
  const left: string[] = [];
  const right: string[] = [];
  let last: string = operator;
  for (const [index, name] of table.primaryKey.entries()) {
    const { part, place } = placed(table, name, bound[index] ?? null, utf8);
    if (place === "below all" || place === "above all") {
      // Every row is on one side of this part, so the parts before it decide.
      const rowIsAbove = place === "below all";
      last = operator === ">" ? (rowIsAbove ? ">=" : ">") : rowIsAbove ? "<" : "<=";
      if (left.length === 0) return rowIsAbove === (operator === ">") ? "true" : "false";
      break;
    }
    left.push(part.expression);
    right.push(parameterSql(part, isAt(place) ? place.at : place.above, values, utf8));
    // No row has this very value, so the parts after it are never looked at.
    if (!isAt(place)) break;
  }
  return `(${left.join(", ")}) ${last} (${right.join(", ")})`;
}

function placed(
  table: SourceTable,
  name: string,
  value: SqliteValue,
  utf8: boolean,
): { readonly part: KeyPart; readonly place: Place } {
  let part = keyPart(table, name, utf8);
  // Somebody wrote into the local table, or a row that was there is gone: it has a place in the order all the same.
  if (typeof value === "string" && !isComparable(value, part.type)) part = keyPart(table, name, utf8, false);
  return { part, place: placeOf(value, part.type) };
}

function isAt(place: Place): place is { readonly at: string } {
  return typeof place !== "string" && "at" in place;
}

function parameterSql(part: KeyPart, text: string, values: string[], utf8: boolean): string {
  values.push(part.type === "bytea" ? `\\x${text}` : text);
  const parameter = `$${values.length}::${part.type}`;
  return part.type === "text" && !utf8 && part.expression.startsWith("convert_to")
    ? `convert_to(${parameter}, 'UTF8')`
    : parameter;
}

/** Whether a text means, in this type, the place that it has as a text. */
function isComparable(text: string, type: KeyPart["type"]): boolean {
  if (type === "uuid") return UUID.test(text);
  if (type === "date" || type === "timestamp" || type === "timestamptz") return isUsualTime(text, type);
  return true;
}

/** SQLite's order: NULL, numbers, texts, bytes. */
function placeOf(value: SqliteValue, type: KeyPart["type"]): Place {
  if (value === null) return "below all";
  if (type === "bytea") {
    return value instanceof Uint8Array ? { at: Buffer.from(value).toString("hex") } : "below all";
  }
  if (value instanceof Uint8Array) return "above all";
  if (type !== "bigint" && type !== "double precision") return typeof value === "string" ? { at: value } : "below all";
  if (type === "double precision") return { at: typeof value === "string" ? "NaN" : String(value) };
  if (typeof value === "string") return "above all";
  if (typeof value === "bigint") return { at: String(value) };
  if (value >= 2 ** 63) return "above all";
  if (value < -(2 ** 63)) return "below all";
  const floor = BigInt(Math.floor(value));
  return Number.isInteger(value) ? { at: String(floor) } : { above: String(floor) };
}
