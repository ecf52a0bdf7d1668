import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { median, quantile } from "./statistics.mjs";

/**
 * One line of the table: what both reached in one measure, by how much ours is better, and whether that is what was aimed at. Who has no
 * values did not take part.
 */
export function compare(measure, ours = [], theirs = []) {
  const { label, unit = "", better, target, comparison = false } = measure;
  const [own, other] = [median(ours), median(theirs)];
  const ratio = better === "less" ? other / own : own / other;
  return {
    label,
    ours: withSpread(ours, unit),
    theirs: withSpread(theirs, unit),
    ratio: !comparison && Number.isFinite(ratio) && ratio > 0 ? `${significant(ratio)}×` : "-",
    target: target ? describeTarget(target, unit) : "-",
    met: target ? verdict(target, own, ratio, unit) : "-",
  };
}

function describeTarget({ ratio, max, min }, unit) {
  if (ratio !== undefined) return `≥ ${ratio}×`;
  return max === undefined ? `≥ ${value(min, unit)}` : `≤ ${value(max, unit)}`;
}

function verdict(target, own, ratio, unit) {
  if (target.ratio !== undefined) {
    return ratio >= target.ratio ? "met" : `**missed** by ${significant(100 * (1 - ratio / target.ratio))} %`;
  }
  if (target.max !== undefined) return own <= target.max ? "met" : `**missed** by ${value(own - target.max, unit)}`;
  return own >= target.min ? "met" : `**missed** by ${value(target.min - own, unit)}`;
}

/** The median, and between which values the middle half of the rounds lies. */
function withSpread(values, unit) {
  if (values.length === 0) return "-";
  const [low, middle, high] = [0.25, 0.5, 0.75].map((p) => significant(quantile(values, p)));
  const spread = low === middle && high === middle ? "" : ` (${low} – ${high})`;
  return `${value(quantile(values, 0.5), unit)}${spread}`;
}

function value(number, unit) {
  return unit ? `${significant(number)} ${unit}` : significant(number);
}

function significant(number) {
  const digits = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2;
  return number.toLocaleString("en", { maximumFractionDigits: digits });
}

const HEAD = ["", "starfish-replica", "the peer", "better by", "target", ""];

/** The table of one scenario as Markdown. */
export function table(lines) {
  const rows = lines.map(({ label, ours, theirs, ratio, target, met }) => [label, ours, theirs, ratio, target, met]);
  return [HEAD, HEAD.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The whole page. `sections` are `{ scenario, lines }`. */
export function page(sections, minutes) {
  const { version: peer } = packageJson("../node_modules/@drakkar.software/starfish-replica/package.json");
  const { version } = packageJson("../../package.json");
  const processors = cpus();
  const parts = sections.map(
    ({ scenario, lines }) => `## ${scenario.title}\n\n${scenario.rounds} rounds; ${scenario.how}.\n\n${table(lines)}\n`,
  );
  return `# Benchmarks

Written by \`npm run bench\` (${minutes} minutes); do not edit. What the numbers mean stands in \`bench/findings.md\` and is repeated at the end.

starfish-replica ${version} against \`@drakkar.software/starfish-replica\` ${peer}, which has the same API: both run the very same
program. Node ${process.version}, ${process.platform} ${process.arch}, ${processors.length} cores (${processors[0]?.model.trim()}).

- One real primary (starfish-server ${peer} over @hono/node-server, documents in memory, no compression) in another process serves both.
- Both run on that same version of starfish-server. Loopback, plain HTTP: a real network makes bytes and round trips count for more.
- Every round is a fresh process; the two take turns, and who begins changes every round. One uncounted round of each goes first.
- Numbers are the median of the rounds, in brackets the middle half. "Better by" is the ratio of the medians, above 1 where ours is better.
- Bytes and sockets are counted at the primary's sockets.

${parts.join("\n")}
${readFileSync(new URL("../findings.md", import.meta.url), "utf8").trim()}
`;
}

function packageJson(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}
