import { median, quantile } from "./statistics.mjs";

/** Who takes part beside us where a scenario does not say. */
const PEER = { theirs: "the peer" };

/**
 * One line of the table: what all reached in one measure, by how much ours is better than the first of the others, and whether that is
 * what was aimed at. Who has no values did not take part.
 */
export function compare({ label, key, unit = "", better, target, comparison = false }, values, versus = PEER) {
  const of = (contender) => values[contender]?.[key] ?? [];
  const others = Object.keys(versus).map(of);
  const [own, other] = [median(of("ours")), median(others[0] ?? [])];
  const ratio = better === "less" ? other / own : own / other;
  return {
    label,
    ours: withSpread(of("ours"), unit),
    others: others.map((reached) => withSpread(reached, unit)),
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

/** The table of one scenario as Markdown. */
export function table({ versus = PEER, ratioLabel = "better by" }, lines) {
  const labels = Object.values(versus);
  const alone = labels.length === 0;
  const head = ["", "starfish-replica", ...labels, ...(alone ? [] : [ratioLabel]), "target", ""];
  const rows = lines.map(({ label, ours, others, ratio, target, met }) => {
    return [label, ours, ...others, ...(alone ? [] : [ratio]), target, met];
  });
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
