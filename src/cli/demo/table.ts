import type { Paint, Span } from "./paint.js";
import type { Row } from "./rows.js";

/** How the table uses a width. */
interface Layout {
  readonly gap: string;
  readonly hashLength: number;
  readonly local: string;
  readonly primary: string;
  readonly staleness: string;
}

const ROOMY: Layout = {
  gap: "  ",
  hashLength: 14,
  local: "local hash",
  primary: "primary's hash",
  staleness: "staleness",
};
const USUAL: Layout = { ...ROOMY, hashLength: 8, local: "local", primary: "primary" };
const NARROW: Layout = { ...USUAL, gap: " ", hashLength: 6, staleness: "stale " };

const RELATIONS: Readonly<Record<NonNullable<Row["relation"]>, Span>> = {
  same: [" = ", "green"],
  merged: [" + ", "cyan"],
  differs: [" ≠ ", "yellow"],
};

/** The table's lines, none of them wider than `columns`. */
export function renderTable(rows: readonly Row[], columns: number, paint: Paint): string[] {
  const layout = columns >= 90 ? ROOMY : columns >= 72 ? USUAL : NARROW;
  const { gap, hashLength, local, primary, staleness } = layout;
  const primaryWidth = Math.max(hashLength, primary.length);
  const cells = (collection: string, mode: string): string => `${collection.padEnd(10)}${gap}${mode.padEnd(13)}${gap}`;
  // A line as wide as the terminal would make some of them wrap.
  const line = (spans: Span[]): string => paint(spans, columns - 1);

  const heading = `${cells("collection", "mode")}${local.padEnd(hashLength)}   ${primary.padEnd(primaryWidth)}`;
  return [
    line([[`${heading}${gap}${staleness}${gap}last error`, "dim"]]),
    ...rows.map((row) =>
      line([
        [cells(row.collection, row.mode)],
        [shortHash(row.localHash, hashLength).padEnd(hashLength)],
        row.relation ? RELATIONS[row.relation] : ["   "],
        [shortHash(row.primaryHash, hashLength).padEnd(primaryWidth)],
        [`${gap}${formatStaleness(row.stalenessMs).padEnd(staleness.length)}${gap}`],
        row.recovered ? [row.lastError ?? "-", "dim"] : [row.lastError ?? "-", "red"],
      ]),
    ),
    "",
    line([["= same   + same, plus local writes   ≠ not in step yet", "dim"]]),
    line([["Ctrl-C ends it and removes its files.", "dim"]]),
  ];
}

/** The first characters of a hash, or `-`. */
export function shortHash(hash: string | null, length: number): string {
  return hash?.slice(0, length) ?? "-";
}

/** `0.4 s`, `12 s`, `3 min`, `5 h`, or `-`. */
export function formatStaleness(ms: number | null): string {
  if (ms === null) return "-";
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}
