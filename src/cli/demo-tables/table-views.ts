import { createPaint } from "../demo/paint.js";
import { createScreen } from "../demo/screen.js";
import type { Output } from "../demo/terminal.js";
import { renderTables, renderTablesFooter, type TableScene } from "./render-tables.js";

/** Shows the tables at work. */
export interface TableView {
  /** How often `show` is worth calling. */
  readonly everyMs: number;
  show(scene: TableScene): void;
  /** Tells of an error, on stderr. */
  complain(text: string): void;
  close(): void;
}

/** Tables on a terminal that are drawn again and again in one place. */
export function createLiveTables(output: Output, hasKeys: boolean): TableView {
  const paint = createPaint(output.stdout);
  const screen = createScreen(output);
  return {
    everyMs: 250,
    show(scene) {
      const { columns } = screen;
      const footer = renderTablesFooter(scene, hasKeys, columns, paint);
      screen.draw([...renderTables(scene.rows, columns, paint), "", ...footer]);
    },
    complain: screen.complain,
    close: screen.close,
  };
}

/** Lines for a pipe or a file: one for each change of a table, at most one per second and table, and one for each thing that happens. */
export function createPlainTables({ stdout, stderr }: Output): TableView {
  const printed = new Map<string, string>();
  let told = "";
  return {
    everyMs: 1_000,
    show({ rows, news }) {
      const time = new Date().toISOString().slice(11, 19);
      if (news !== told && news !== "") stdout.write(`${time} # ${news}\n`);
      told = news;
      for (const { table, mode, atSource, here, cursor, stalenessMs, error } of rows) {
        const counts = `source=${atSource ?? "-"} copy=${here ?? "-"} cursor=${cursor?.replace(" ", "T") ?? "-"} error=${error ?? "-"}`;
        if (printed.get(table) === counts) continue;
        printed.set(table, counts);
        const staleness = stalenessMs === null ? "-" : `${(stalenessMs / 1_000).toFixed(1)}s`;
        stdout.write(`${time} ${table} mode=${mode} ${counts} staleness=${staleness}\n`);
      }
    },
    complain(text) {
      stderr.write(`${text}\n`);
    },
    close() {},
  };
}
