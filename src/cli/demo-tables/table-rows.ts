import type { TableRun } from "../../tables/tasks/table-task.js";
import type { World } from "./world.js";

/** The demo's tables, in the order in which they are shown. */
export const TABLES: readonly string[] = ["orders", "visits", "prices"];

/** What is known about one table at one moment. */
export interface TableRow {
  readonly table: string;
  readonly mode: string;
  /** Rows at the source; `null` while it is out of reach. */
  readonly atSource: number | null;
  /** Rows of the copy; `null` before there is one. */
  readonly here: number | null;
  readonly cursor: string | null;
  readonly stalenessMs: number | null;
  /** The last run that ended. */
  readonly lastRun: { readonly pulled: number; readonly deleted: number; readonly ms: number } | null;
  /** Why the task is failing; `null` while it is not. */
  readonly error: string | null;
}

/** Counts the rows on both sides and asks how the tasks are. */
export async function readTableRows({ tables, bakery, postgres }: World): Promise<TableRow[]> {
  const [status, here, there] = await Promise.all([
    tables.status(),
    countRows(async (sql) => (await tables.query(sql)).rows),
    postgres.running ? countRows((sql) => bakery.query(sql).then((rows) => rows.map(Object.values))) : null,
  ]);
  return await Promise.all(
    status
      .sort((left, right) => TABLES.indexOf(left.targetTable) - TABLES.indexOf(right.targetTable))
      .map(async ({ id, targetTable, mode, cursor, state, stalenessMs, lastError }) => {
        const last = (await tables.runs(id, 3)).find(({ finishedAt }) => finishedAt !== null);
        return {
          table: targetTable,
          mode: mode ?? "-",
          atSource: there?.get(targetTable) ?? null,
          here: here?.get(targetTable) ?? null,
          cursor,
          stalenessMs,
          lastRun: last ? summarise(last) : null,
          error: state === "failing" ? (lastError?.code ?? "failing") : null,
        };
      }),
  );
}

/** Rows by table, or `null` where they cannot be counted (yet). */
async function countRows(
  query: (sql: string) => Promise<readonly (readonly unknown[])[]>,
): Promise<ReadonlyMap<string, number> | null> {
  const sql = TABLES.map((table) => `SELECT '${table}' AS name, count(*) AS count FROM ${table}`).join(" UNION ALL ");
  const rows = await query(sql).catch(() => null);
  return rows && new Map(rows.map(([name, count]) => [String(name), Number(count)]));
}

function summarise({ rowsPulled, rowsDeleted, startedAt, finishedAt }: TableRun): NonNullable<TableRow["lastRun"]> {
  const ms = Date.parse(finishedAt ?? startedAt) - Date.parse(startedAt);
  return { pulled: rowsPulled, deleted: rowsDeleted, ms };
}
