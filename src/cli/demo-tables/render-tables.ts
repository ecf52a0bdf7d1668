import type { Paint, Span } from "../demo/paint.js";
import { formatStaleness } from "../demo/table.js";
import type { TableRow } from "./table-rows.js";

/** What there is to see at one moment. */
export interface TableScene {
  readonly rows: readonly TableRow[];
  readonly sourceRuns: boolean;
  /** What has happened at the source. */
  readonly news: string;
}

const COUNT = 7;
const RUN = "+999 -99 999 ms".length;

/** The lines of the tables, all narrower than `columns`: the cursor takes what is left, and goes where nothing is. */
export function renderTables(rows: readonly TableRow[], columns: number, paint: Paint): string[] {
  const left = columns - 1 - (8 + 8 + COUNT + 3 + COUNT + 2 + 6 + 2 + RUN + 2);
  const cursor = left < 10 ? 0 : Math.min(left, 29);
  const line = (spans: Span[]): string => paint(spans, columns - 1);
  const cell = (text: string): string => (cursor === 0 ? "" : `${text.slice(0, cursor).padEnd(cursor)}  `);
  const heading = `${"table".padEnd(8)}${"mode".padEnd(8)}${"source".padStart(COUNT)}   ${"copy".padEnd(COUNT)}  ${cell("cursor")}${"stale".padEnd(6)}  last run`;
  return [
    line([[heading, "dim"]]),
    ...rows.map((row) =>
      line([
        [`${row.table.padEnd(8)}${row.mode.padEnd(8)}${formatCount(row.atSource).padStart(COUNT)}`],
        relation(row),
        [`${formatCount(row.here).padEnd(COUNT)}  ${cell(row.cursor ?? "-")}`],
        [`${formatStaleness(row.stalenessMs).padEnd(6)}  `],
        row.error ? [row.error.replace(/^SOURCE_/, ""), "red"] : [formatRun(row.lastRun)],
      ]),
    ),
  ];
}

/** The lines below the tables: how the source is, what happened there, and what can be done. */
export function renderTablesFooter(scene: TableScene, hasKeys: boolean, columns: number, paint: Paint): string[] {
  const { sourceRuns, news } = scene;
  const lines: Span[][] = [
    sourceRuns
      ? [["PostgreSQL: "], ["up", "green"]]
      : [["PostgreSQL: "], ["stopped", "yellow"], [hasKeys ? ", press p to start it" : ""]],
    [[news, "cyan"]],
    [["= as many rows on both sides   ≠ not yet", "dim"]],
    [[hasKeys ? `p ${sourceRuns ? "stops" : "starts"} PostgreSQL   v verifies   q ends it` : ENDING, "dim"]],
  ];
  return lines.map((line) => paint(line, columns - 1));
}

const ENDING = "Ctrl-C verifies the copy, ends it and removes its files.";

/** `1 234`, `1234567` where the room is needed, or `-`. */
function formatCount(count: number | null): string {
  if (count === null) return "-";
  const grouped = String(count).replace(/\B(?=(\d{3})+$)/g, " ");
  return grouped.length > COUNT ? String(count) : grouped;
}

function relation({ atSource, here }: TableRow): Span {
  if (atSource === null || here === null) return ["   "];
  return atSource === here ? [" = ", "green"] : [" ≠ ", "yellow"];
}

function formatRun(run: TableRow["lastRun"]): string {
  if (run === null) return "-";
  return `+${run.pulled}${run.deleted > 0 ? ` -${run.deleted}` : ""} ${run.ms} ms`;
}
