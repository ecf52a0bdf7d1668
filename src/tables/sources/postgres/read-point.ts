import type { SourceTable } from "../source-table.js";
import type { CursorBound, ReadPoint } from "../table-source.js";
import { openTransactions } from "./open-transactions.js";
import { quoteName, quoteTable } from "./quote-name.js";
import type { Session } from "./session.js";
import { columnOf } from "./table-columns.js";

/**
 * Rows appear in the order of commits, not in that of their cursors. So the ceiling is read first, and then who is still at work: whoever wrote,
 * or took a number or the time, below the ceiling and has not committed by the first look was there at the second, or has committed
 * in between and is seen by every read after. The other order would miss who began between the two.
 */
export async function readPointOf(
  session: Session,
  table: SourceTable,
  cursorColumn: string,
  lagSeconds: number,
): Promise<ReadPoint> {
  const ceiling = await readCeiling(session, table, cursorColumn, lagSeconds);
  const nullCursorRows = await countNulls(session, table, cursorColumn);
  return { ceiling, openTransactions: await openTransactions(session), nullCursorRows };
}

async function readCeiling(
  session: Session,
  table: SourceTable,
  name: string,
  lagSeconds: number,
): Promise<CursorBound | null> {
  const column = columnOf(table, name);
  const reference = `t.${quoteName(name)}`;
  const newest = `SELECT ${reference} AS m FROM ${quoteTable(table)} t WHERE ${reference} IS NOT NULL ORDER BY ${reference} DESC LIMIT 1`;
  if (column.order !== "time") {
    const [row] = await session.query(`SELECT m::text FROM (${newest}) n`);
    if (row === undefined) return null;
    // More rows with this very value may come, but for a sequence, which gives each number once.
    return { value: row.m ?? "", inclusive: column.unique || column.increasing };
  }
  const [row] = await session.query(
    `WITH n AS (${newest}), settled AS (SELECT ${settledSql(column.mapping)} AS early, ${settledSql(column.mapping, "$2")} AS late)
    SELECT m::text, CASE WHEN m >= greatest(early, late) THEN greatest(early, late)::text
      WHEN m >= least(early, late) AND m < least(early, late) + ${column.mapping === "date" ? "1" : "make_interval(secs => $1 + 1)"}
        THEN least(early, late)::text END AS settled
    FROM n, settled`,
    [lagSeconds, session.info.timeZone],
  );
  if (row === undefined) return null;
  const settled = row.settled ?? null;
  return settled === null ? { value: row.m ?? "", inclusive: true } : { value: settled, inclusive: false };
}

/**
 * The time below which rows are settled, in the column's type. A time without zone is in whatever zone its writers use, UTC or the server's
 * own; both are tried.
 */
function settledSql(mapping: string, zone?: string): string {
  const then = "(clock_timestamp() - make_interval(secs => $1::double precision))";
  if (mapping === "timestamptz") return zone === undefined ? then : `(SELECT ${then} WHERE ${zone}::text IS NOT NULL)`;
  const local = `(${then} AT TIME ZONE ${zone === undefined ? "'UTC'" : `${zone}::text`})`;
  return mapping === "date" ? `${local}::date` : local;
}

async function countNulls(session: Session, table: SourceTable, name: string): Promise<number> {
  if (!columnOf(table, name).nullable) return 0;
  const [row] = await session.query(
    `SELECT count(*) AS rows FROM ${quoteTable(table)} t WHERE t.${quoteName(name)} IS NULL`,
  );
  return Number(row?.rows);
}
