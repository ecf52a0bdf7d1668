import { stripVTControlCharacters } from "node:util";
import type { Output } from "./terminal.js";

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_LINE_END = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** A place on a terminal where lines are drawn again and again. */
export interface Screen {
  /** Lines must be narrower than this. */
  readonly columns: number;
  /** Those that the terminal has no room for are left out. */
  draw(lines: readonly string[]): void;
  /** Writes to stderr above the lines. */
  complain(text: string): void;
  /** Ends it below the lines. */
  close(): void;
}

/** Hides the cursor, which is back after `close()`, and however the process ends. */
export function createScreen({ stdout, stderr }: Output): Screen {
  let widths: readonly number[] = [];
  let drawnAt = 0;
  const columns = () => stdout.columns || 80;

  /** Back to the first line; a terminal that has become narrower has wrapped the lines meanwhile. */
  const toTop = (): string => {
    const height = widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns())), 0);
    return height === 0 ? "" : `\x1b[${height}A\r`;
  };
  const showCursor = () => {
    stdout.write(SHOW_CURSOR);
  };
  process.once("exit", showCursor);
  stdout.write(HIDE_CURSOR);

  return {
    get columns() {
      return columns();
    },
    draw(all) {
      const lines = all.slice(0, Math.max(1, (stdout.rows || 24) - 1));
      // Cleared as a whole only after a resize: always, it would flicker; never, a terminal would keep lines joined that it has wrapped.
      const start = drawnAt === columns() ? toTop() : `${toTop()}${CLEAR_BELOW}`;
      stdout.write(`${start}${lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join("")}${CLEAR_BELOW}`);
      widths = lines.map((line) => stripVTControlCharacters(line).length);
      drawnAt = columns();
    },
    complain(text) {
      // The lines go on below it.
      stdout.write(`${toTop()}${CLEAR_BELOW}`);
      stderr.write(`${text}\n`);
      widths = [];
    },
    close() {
      process.removeListener("exit", showCursor);
      // The terminal has echoed a `^C`.
      stdout.write(`\r${CLEAR_LINE_END}${SHOW_CURSOR}`);
    },
  };
}
