import type { TypeRule } from "./type-rule.js";

type TimeType = NonNullable<TypeRule["usualKeyType"]>;

const FORMS: Readonly<Record<TimeType, RegExp>> = {
  date: /^\d{4}-\d\d-\d\d$/,
  timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/,
  timestamptz: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
};

/**
 * Whether the text is one that `time-text.ts` gives for a usual time: one of the years 1 to 9999, or `infinity`. The order of such texts is that
 * of their times; texts of other years have signs, which sort otherwise.
 */
export function isUsualTime(text: string, type: TimeType): boolean {
  if (text === "infinity") return true;
  if (!FORMS[type].test(text) || text.startsWith("0000")) return false;
  // To milliseconds, which is all that may be wrong with digits in the right places: a 30th of February, an hour of 24.
  const milliseconds = text.slice(0, 23);
  const time = new Date(type === "date" ? text : `${milliseconds}Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(milliseconds);
}

/** Two ranges of times, which an index can look up: what is in one of them is not {@link isUsualTime}. */
export function unusualTimeSql(column: string): string[] {
  return [`${column} < '0001-01-01'`, `${column} >= '10000-01-01' AND ${column} < 'infinity'`];
}
