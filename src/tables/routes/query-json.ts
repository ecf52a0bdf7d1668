import { showValue } from "../../config/show-value.js";
import { invalidRequest } from "../../control/route-error.js";
import { ReplicaError } from "../../errors.js";
import type { SqliteValue } from "../../sqlite/sqlite-value.js";
import type { QueryResult } from "../query/query-result.js";

const FORMS = 'null, true, false, a number, a string, { "integer": "9007199254740993" } or { "base64": "AAEC" }';
const MAX_PARAMS = 32_766;

/**
 * Parameters of a query as JSON has them. A whole number is an INTEGER, `true` is 1; one that JSON's numbers cannot hold comes as `{ integer }`, a BLOB
 * as `{ base64 }`.
 * @throws RouteError 400 that names the parameter
 */
export function parseParams(params: unknown): SqliteValue[] {
  if (params === undefined || params === null) return [];
  if (!Array.isArray(params)) throw invalidRequest(`params must be a list, got ${showValue(params)}`);
  if (params.length > MAX_PARAMS) throw invalidRequest(`params must have at most ${MAX_PARAMS} values`);
  return params.map((value, index) => {
    const parsed = parseParam(value);
    if (parsed !== undefined) return parsed;
    const mend =
      typeof value === "number"
        ? 'is a number that JSON does not hold exactly: send { "integer": "..." } or a string'
        : `must be ${FORMS}, got ${showValue(value)}`;
    throw invalidRequest(`params[${index}] ${mend}`);
  });
}

/**
 * The answer as JSON can hold it: integers beyond 2^53 and infinities as strings, BLOBs as `{ base64 }`.
 * @throws `QUERY_FAILED` for more than about `maxBytes` bytes of values
 */
export function rowsToJson(
  { columns, rows }: QueryResult,
  maxBytes: number,
): { columns: readonly string[]; rows: unknown[][] } {
  let bytes = 0;
  const take = (value: SqliteValue): unknown => {
    bytes += 8 + (typeof value === "string" || value instanceof Uint8Array ? value.length : 0);
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    return valueToJson(value);
  };
  return { columns, rows: rows.map((row) => row.map(take)) };
}

function tooLarge(maxBytes: number): ReplicaError {
  return new ReplicaError("QUERY_FAILED", `The query gives more than ${maxBytes} bytes, too many for one answer.`, {
    hint: "Add LIMIT, or ask for fewer columns, and read the rest by key: WHERE id > (the last one) ORDER BY id LIMIT n.",
  });
}

function parseParam(value: unknown): SqliteValue | undefined {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return undefined;
    if (!Number.isInteger(value)) return value;
    return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  }
  const [entry, ...others] = Object.entries(value as object);
  if (!entry || others.length > 0 || typeof entry[1] !== "string") return undefined;
  const [key, text] = entry;
  if (key === "base64") return isBase64(text) ? Buffer.from(text, "base64") : undefined;
  if (key !== "integer" || !/^-?\d{1,19}$/.test(text)) return undefined;
  const integer = BigInt(text);
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0;
}

function valueToJson(value: SqliteValue): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof Uint8Array) {
    return { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  }
  return value;
}
