import { describe, expect, it } from "vitest";
import { createPaint } from "../../src/cli/demo/paint.js";
import { renderTables, renderTablesFooter } from "../../src/cli/demo-tables/render-tables.js";
import type { TableRow } from "../../src/cli/demo-tables/table-rows.js";
import { createPlainTables } from "../../src/cli/demo-tables/table-views.js";
import { fakeStream } from "./fake-terminal.js";

const row: TableRow = {
  table: "orders",
  mode: "upsert",
  atSource: 1_234,
  here: 1_230,
  cursor: "2026-11-20 11:33:18.40794+00",
  stalenessMs: 1_234,
  lastRun: { pulled: 15, deleted: 3, ms: 120 },
  error: null,
};
const ROWS: readonly TableRow[] = [
  row,
  { ...row, here: 1_234_567, atSource: 1_234_567, error: "SOURCE_UNREACHABLE" },
  { ...row, here: null, atSource: null, cursor: null, stalenessMs: null, lastRun: null },
];
const paint = createPaint(fakeStream().stream);

describe("the tables of the demo", () => {
  it.each([40, 60, 72, 80, 100, 200])("fit a terminal of %d columns", (columns) => {
    for (const line of renderTables(ROWS, columns, paint)) expect(line.length).toBeLessThan(columns);
  });

  it("show both sides, and give the cursor the room there is", () => {
    expect(renderTables(ROWS, 80, paint)).toEqual([
      "table   mode     source   copy     cursor               stale   last run",
      "orders  upsert    1 234 ≠ 1 230    2026-11-20 11:33:18  1.2 s   +15 -3 120 ms",
      "orders  upsert  1234567 = 1234567  2026-11-20 11:33:18  1.2 s   UNREACHABLE",
      "orders  upsert        -   -        -                    -       -",
    ]);
    expect(renderTables(ROWS, 60, paint)[1]).toBe("orders  upsert    1 234 ≠ 1 230    1.2 s   +15 -3 120 ms");
  });

  it("are in colour only where the terminal shows colours", () => {
    const coloured = createPaint(fakeStream({ columns: 80, rows: 24, colours: true }).stream);
    expect(renderTables(ROWS, 80, paint).join("")).not.toContain("\x1b");
    expect(renderTables(ROWS, 80, coloured)[1]).toContain("\x1b[33m ≠ \x1b[39m");
  });
});

describe("the lines below the tables of the demo", () => {
  it("say how the source is, what happened and which key does what", () => {
    const scene = { rows: ROWS, sourceRuns: true, news: "visit 7 is committed late" };
    expect(renderTablesFooter(scene, true, 80, paint)).toEqual([
      "PostgreSQL: up",
      "visit 7 is committed late",
      "= as many rows on both sides   ≠ not yet",
      "p stops PostgreSQL   v verifies   q ends it",
    ]);
    const stopped = renderTablesFooter({ ...scene, sourceRuns: false }, true, 80, paint);
    expect(stopped[0]).toBe("PostgreSQL: stopped, press p to start it");
    expect(stopped.at(-1)).toBe("p starts PostgreSQL   v verifies   q ends it");
    expect(renderTablesFooter(scene, false, 80, paint).at(-1)).toMatch(/^Ctrl-C /);
  });
});

describe("the plain lines of the demo of tables", () => {
  it("are one for each change and each thing that happens", () => {
    const stdout = fakeStream();
    const view = createPlainTables({ stdout: stdout.stream, stderr: stdout.stream });
    const scene = { rows: [row], sourceRuns: true, news: "" };
    view.show(scene);
    view.show({ ...scene, rows: [{ ...row, stalenessMs: 9_999 }] });
    view.show({ ...scene, news: "orders has got another column: note" });
    const lines = stdout.text().replace(/^\S+ /gm, "").trimEnd().split("\n");
    expect(lines).toEqual([
      "orders mode=upsert source=1234 copy=1230 cursor=2026-11-20T11:33:18.40794+00 error=- staleness=1.2s",
      "# orders has got another column: note",
    ]);
  });
});
