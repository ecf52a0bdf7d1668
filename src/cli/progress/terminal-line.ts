import { stripVTControlCharacters } from "node:util";
import { createPaint } from "../demo/paint.js";
import type { ProgressFacts, ProgressLine } from "./progress-facts.js";
import { progressBar } from "./progress-text.js";
import { createRate } from "./rate.js";

/** Ten times a second. */
const REDRAW_MS = 100;
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
/** What is wider than we think is cut by the terminal, and does not take a second line that nobody would clear. */
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";

/**
 * One line at the bottom of a terminal, drawn again and again.
 *
 * Our own and no package: `cli-progress` (the one most used) has had no release since 2023, draws on its own timers into one stream that it does
 * not share with other messages, and knows neither a total that is not known nor a line that has to fit. What is needed is this file.
 */
export function createTerminalLine(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): ProgressLine {
  const style = { paint: createPaint(stream), unicode: showsUnicode(env) };
  let rate = createRate();
  let facts: ProgressFacts | null = null;
  let drawn = "";
  let drawnColumns = 0;
  let timer: NodeJS.Timeout | undefined;

  const columns = (): number => stream.columns || 80;
  /** To the beginning of what was drawn: a terminal that has become narrower has wrapped it meanwhile. */
  const clear = (): string => {
    if (drawn === "") return "";
    const rows = Math.ceil(stripVTControlCharacters(drawn).length / columns());
    drawn = "";
    return `${rows > 1 ? `\x1b[${rows - 1}A` : ""}\r${CLEAR_BELOW}`;
  };
  const draw = (): void => {
    if (facts === null) return;
    // The last column stays free: there, terminals differ.
    const text = progressBar(facts, rate.perSecond(), columns() - 1, style);
    if (text === drawn && drawnColumns === columns()) return;
    const start = drawnColumns === columns() ? "\r" : clear();
    stream.write(`${start}${NO_WRAP}${text}${CLEAR_LINE}${WRAP}`);
    drawn = text;
    drawnColumns = columns();
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };

  return {
    show(next) {
      if (facts !== null && next.label !== facts.label) rate = createRate();
      facts = next;
      rate.add(next.done);
      // Also while nothing is new: the rate falls and the time grows.
      if (timer !== undefined) return;
      timer = setInterval(draw, REDRAW_MS);
      draw();
    },
    say(text) {
      stream.write(`${clear()}${text}\n`);
      if (timer !== undefined) draw();
    },
    end() {
      stop();
      facts = null;
      const gone = clear();
      if (gone !== "") stream.write(gone);
    },
  };
}

/** What terminals of the last decades say; a `C` or `POSIX` locale gets plain letters. */
function showsUnicode({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  if (process.platform === "win32" || process.platform === "darwin") return true;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "");
}
