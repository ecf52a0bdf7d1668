import { quoteIdentifier } from "../../../sqlite/identifier.js";
import type { SqliteValue } from "../../../sqlite/sqlite-value.js";
import type { SourceTable } from "../source-table.js";
import type { CursorBound, ReadPoint } from "../table-source.js";
import type { Session } from "./connections.js";
import { writePosition } from "./position-text.js";

/**
 * SQLite has one writer at a time, so whatever becomes visible later was written later, and there are no other transactions to wait for.
 * What remains: a program that takes the time before it gets the write lock may write a time that is older than one we have seen. Times younger
 * than `lagSeconds` therefore count as unsettled; a program that waits longer than that for the lock is for `deletes: "reconcile"` to find.
 */
export async function readPoint(
  session: Session,
  table: SourceTable,
  cursorColumn: string,
  lagSeconds: number,
  signal: AbortSignal,
): Promise<ReadPoint> {
  const described = table.columns.find((column) => column.name === cursorColumn);
  const ceiling = await findCeiling(session, table, cursorColumn, described?.unique ?? false, lagSeconds, signal);
  return { ceiling, openTransactions: [], nullCursorRows: countNulls(session, table, cursorColumn) };
}

async function findCeiling(
  session: Session,
  table: SourceTable,
  column: string,
  unique: boolean,
  lagSeconds: number,
  signal: AbortSignal,
): Promise<CursorBound | null> {
  const name = quoteIdentifier(column);
  const isTime = table.columns.find((candidate) => candidate.name === column)?.order === "time";
  const sql = `SELECT ${name}, CASE typeof(${name}) WHEN 'text' THEN unixepoch(${name}, 'subsec') END
    FROM ${quoteIdentifier(table.name)} WHERE ${name} IS NOT NULL ORDER BY ${name} COLLATE BINARY DESC`;
  const settledMs = Date.now() - lagSeconds * 1_000;
  let lowest: SqliteValue = null;
  // The largest alone first: where there is no index, it costs a scan and no sort. Only times that are still young cost more.
  const [largest = null, seconds] = session.all(`${sql} LIMIT 1`)[0] ?? [];
  if (largest === null) return null;
  const largestEndMs = timeOf(largest, seconds, isTime);
  if (largestEndMs === null) return { value: writePosition(largest), inclusive: unique };
  if (largestEndMs <= settledMs) return { value: writePosition(largest), inclusive: true };
  for await (const rows of session.rows(sql, [], signal)) {
    for (const [value = null, seconds] of rows) {
      const endMs = timeOf(value, seconds, isTime);
      if (endMs === null) return { value: writePosition(lowest ?? value), inclusive: false };
      if (endMs <= settledMs) return { value: writePosition(value), inclusive: true };
      lowest = value;
    }
  }
  return lowest === null ? null : { value: writePosition(lowest), inclusive: false };
}

/** The last moment that such a value stands for, in milliseconds since 1970; `null` for what is no time. Texts without a zone are UTC. */
function timeOf(value: SqliteValue, seconds: SqliteValue | undefined, isTime: boolean): number | null {
  if (typeof value === "string") {
    // SQLite takes a bare number for a Julian day.
    if (seconds === null || seconds === undefined || !/^\d{4}-\d\d-\d\d/.test(value)) return null;
    return Number(seconds) * 1_000 + coarsenessMs(value);
  }
  if (!isTime || value === null || typeof value === "object") return null;
  const number = Number(value);
  // Seconds or milliseconds: either way from 1973 to 5138.
  if (number >= 1e8 && number < 1e11) return number * 1_000 + 1_000;
  return number >= 1e11 && number < 1e14 ? number : null;
}

function coarsenessMs(text: string): number {
  // A day, and wherever on earth it is still that day.
  if (text.length <= 10) return 38 * 3_600_000;
  return /:\d\d:\d\d/.test(text) ? 1_000 : 60_000;
}

function countNulls(session: Session, table: SourceTable, column: string): number {
  if (table.columns.find((candidate) => candidate.name === column)?.nullable === false) return 0;
  const sql = `SELECT count(*) FROM ${quoteIdentifier(table.name)} WHERE ${quoteIdentifier(column)} IS NULL`;
  return Number(session.all(sql)[0]?.[0] ?? 0);
}
