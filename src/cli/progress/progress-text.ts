import type { Paint, Span } from "../demo/paint.js";
import type { ProgressFacts } from "./progress-facts.js";
import { showBytes, showDuration } from "./show-amount.js";

const MIN_BAR = 8;
const MAX_BAR = 36;
const WIDEST_RATE = "999.9 MiB/s";
/** Longer and "left" is a guess that nobody can use. */
const LONGEST_LEFT_MS = 48 * 3_600_000;

/** The parts of a line about progress, in the order in which they are read. */
interface Parts {
  percent: string | null;
  amount: string | null;
  rate: string | null;
  left: string | null;
  details: readonly string[];
}

/** As a line of a log: nothing is cut. */
export function progressSentence(facts: ProgressFacts, perSecond: number | null): string {
  const { percent, amount, rate, left, details } = partsOf(facts, perSecond);
  return `${facts.label}: ${[percent, amount, ...details, rate, left].filter((part) => part !== null).join(", ")}`;
}

/** As a line of a terminal, never wider than `columns`: what there is no room for is left out, the least important first. */
export function progressBar(
  facts: ProgressFacts,
  perSecond: number | null,
  columns: number,
  { paint, unicode }: { readonly paint: Paint; readonly unicode: boolean },
): string {
  const { percent, amount, rate, left, details } = partsOf(facts, perSecond);
  const label = shorten(facts.label, Math.max(10, Math.floor(columns / 3)), unicode);
  let shown = [percent, amount, rate, left, ...details].filter((part) => part !== null);
  const width = (): number => [label, ...shown].join("  ").length;
  // Its length stays, whatever the numbers are: it would jump.
  const room =
    columns -
    [label, "100%", showBytes(facts.total ?? 0, facts.total), WIDEST_RATE, "00:00 left"].join("  ").length -
    2;
  const bar = facts.total === null || room < MIN_BAR ? 0 : Math.min(room, MAX_BAR);
  const taken = bar === 0 ? 0 : bar + 2;
  while (width() + taken > columns && shown.length > 1) shown = shown.slice(0, -1);
  const spans: Span[] = [[label, "bold"]];
  if (bar > 0) spans.push(["  "], ...barOf(facts, bar, unicode));
  for (const part of shown) spans.push([`  ${part}`]);
  return paint(spans, columns);
}

function partsOf({ done, total, details = [] }: ProgressFacts, perSecond: number | null): Parts {
  const leftMs = total === null || !perSecond ? Number.POSITIVE_INFINITY : ((total - done) / perSecond) * 1_000;
  return {
    percent: total === null ? null : `${Math.floor(share(done, total) * 100)}%`,
    // Before it has begun there is nothing to tell.
    amount: total === null && done === 0 ? null : showBytes(done, total),
    rate: perSecond === null || done === 0 ? null : `${showBytes(perSecond)}/s`,
    left: leftMs < LONGEST_LEFT_MS && done !== total ? `${showDuration(leftMs)} left` : null,
    details,
  };
}

function barOf({ done, total }: ProgressFacts, width: number, unicode: boolean): Span[] {
  const full = Math.floor(share(done, total ?? 0) * width);
  const [on, off] = unicode ? ["━", "─"] : ["#", "."];
  return [
    [on.repeat(full), "cyan"],
    [off.repeat(width - full), "dim"],
  ];
}

function share(done: number, total: number): number {
  return total === 0 ? 1 : Math.min(1, Math.max(0, done / total));
}

function shorten(text: string, length: number, unicode: boolean): string {
  if (text.length <= length) return text;
  const mark = unicode ? "…" : "~";
  // The end of a file's name says as much as its beginning.
  const tail = Math.floor((length - 1) / 3);
  return `${text.slice(0, length - 1 - tail)}${mark}${text.slice(text.length - tail)}`;
}
