import { fromIso } from "./from-iso.js";
import type { TypeRule } from "./type-rule.js";

const asIs = (column: string): string => column;
const asText = (column: string): string => `${column}::text`;
const asJson = (column: string): string => `to_json(${column})::text`;

/** What the type's own output function writes; a cast to text says something else for some types. */
const asOutput = (column: string): string => `CASE WHEN ${column} IS NOT NULL THEN concat(${column}) END`;

const TEXT: TypeRule = {
  targetType: "TEXT",
  order: null,
  select: asText,
  read: "text",
  value: asText,
  selectsSource: true,
};

const REAL: TypeRule = {
  targetType: "REAL",
  order: "number",
  select: asIs,
  read: "double",
  value: asIs,
  selectsSource: true,
};

const DECIMAL: TypeRule = { ...REAL, read: "decimal" };

const JSON_TEXT: TypeRule = { ...TEXT, select: asJson, value: asJson, selectsSource: false };

/** ISO 8601 as `time-text.ts` writes it. `usual` is for the years 1 to 9999, `rest` all that follows the year. */
function isoSql(column: string, usual: string, rest: string): string {
  const year = `extract(year FROM ${column})::int`;
  const before = `(-1 - ${year})::text`;
  return `CASE WHEN ${column} >= '0001-01-01' AND ${column} < '10000-01-01' THEN ${usual}
    WHEN NOT isfinite(${column}) THEN ${column}::text
    WHEN ${year} > 0 THEN '+' || ${year} || ${rest}
    ELSE CASE ${year} WHEN -1 THEN '' ELSE '-' END || lpad(${before}, greatest(4, length(${before})), '0') || ${rest} END`;
}

function timeRule(read: "timestamp" | "timestamptz"): TypeRule {
  const time = `-MM-DD"T"HH24:MI:SS.US${read === "timestamptz" ? '"Z"' : ""}`;
  return {
    ...TEXT,
    order: "time",
    select: asIs,
    read,
    usualKeyType: read,
    value: (column) => isoSql(column, `to_char(${column}, 'YYYY${time}')`, `to_char(${column}, '${time}')`),
    toSource: fromIso,
  };
}

const DATE: TypeRule = {
  ...TEXT,
  order: "time",
  select: asIs,
  read: "date",
  usualKeyType: "date",
  // `-MM-DD` is in the middle of `0044-03-15 BC`.
  value: (column) => isoSql(column, `${column}::text`, `substring(${column}::text FROM '-\\d\\d-\\d\\d')`),
  toSource: fromIso,
};

/**
 * The rules by the name that `SourceColumn.mapping` has, which may go on after a colon (`text:uuid`): what stands there tells types apart
 * whose texts are not each other's. `docs/tables-types.md` has the same as tables.
 */
const RULES: Readonly<Record<string, TypeRule>> = {
  integer: {
    targetType: "INTEGER",
    order: "number",
    select: asIs,
    read: "integer",
    value: asIs,
    selectsSource: true,
    keyType: "bigint",
  },
  oid: {
    targetType: "INTEGER",
    order: "number",
    select: asIs,
    read: "integer",
    value: (column) => `${column}::bigint`,
    selectsSource: true,
  },
  boolean: {
    targetType: "INTEGER",
    order: null,
    select: asIs,
    read: "boolean",
    value: (column) => `${column}::int::bigint`,
    selectsSource: true,
    toSource: (value) => (value === "1" ? "t" : value === "0" ? "f" : null),
  },
  double: { ...REAL, keyType: "double precision" },
  // The shortest text that means the float4, read as a double: 0.1 stays 0.1.
  float: { ...REAL, value: (column) => `${column}::text::float8` },
  decimal: { ...DECIMAL, value: (column) => decimalSql(column) },
  "decimal-text": { ...TEXT, order: "number", select: asIs },
  money: {
    ...DECIMAL,
    order: null,
    select: (column) => `${column}::numeric`,
    value: (column) => `${column}::numeric::float8`,
    selectsSource: false,
  },
  "money-text": {
    ...TEXT,
    select: (column) => `${column}::numeric`,
    value: (column) => `${column}::numeric::text`,
    selectsSource: false,
  },
  text: { ...TEXT, order: "text", select: asIs },
  // Trailing spaces of char(n) mean nothing to PostgreSQL; its cast to text drops them.
  char: TEXT,
  "text:uuid": { ...TEXT, order: "text", select: asIs, keyType: "uuid" },
  "text:inet": { ...TEXT, select: asIs, value: asOutput },
  bytes: {
    targetType: "BLOB",
    order: null,
    select: asIs,
    read: "bytes",
    value: asIs,
    selectsSource: true,
    keyType: "bytea",
  },
  date: DATE,
  timestamp: timeRule("timestamp"),
  timestamptz: timeRule("timestamptz"),
};

/** The rule that a mapping's name stands for. Any other `text:...` is what a cast to text gives, and `json:...` what `to_json` does. */
export function ruleOf(mapping: string): TypeRule {
  return RULES[mapping] ?? (mapping.startsWith("json:") ? JSON_TEXT : TEXT);
}

// Halfway between the largest double and what would come next, and just above half of the smallest: PostgreSQL refuses to convert what
// JavaScript reads as infinity and as zero.
const TOO_LARGE = (2n ** 1024n - 2n ** 970n).toString();
const TOO_SMALL = "2.4703282292062328e-324";

function decimalSql(column: string): string {
  return `CASE WHEN ${column} >= ${TOO_LARGE} AND ${column} <> 'NaN' THEN 'Infinity'::float8 WHEN ${column} <= -${TOO_LARGE} THEN '-Infinity'::float8
    WHEN abs(${column}) < ${TOO_SMALL}::numeric THEN 0::float8 ELSE ${column}::float8 END`;
}
