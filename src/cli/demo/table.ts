import type { Paint, Span } from "./paint.js";
import type { OutboxRow, Row } from "./rows.js";

/** How the table uses a width. A column is as wide as its heading; those of the hashes may be wider. */
interface Layout {
  readonly gap: string;
  readonly collection: string;
  /** Characters of a hash. */
  readonly hashLength: number;
  readonly local: string;
  readonly primary: string;
  readonly staleness: string;
  readonly error: string;
}

const USUAL: Layout = {
  gap: "  ",
  collection: "collection",
  hashLength: 7,
  local: "local",
  primary: "primary",
  staleness: "stale ",
  error: "last error",
};
const ROOMY: Layout = {
  ...USUAL,
  hashLength: 12,
  local: "local hash",
  primary: "primary's hash",
  staleness: "staleness",
};
const NARROW: Layout = {
  ...USUAL,
  gap: " ",
  collection: "name  ",
  hashLength: 4,
  local: "here",
  primary: "there",
  error: "error",
};

const OUTBOX_LENGTH = "dead letter".length;

const RELATIONS: Readonly<Record<NonNullable<Row["relation"]>, Span>> = {
  same: [" = ", "green"],
  merged: [" + ", "cyan"],
  differs: [" ≠ ", "yellow"],
};

/** The table's lines, all narrower than `columns`: a line as wide as the terminal would make some of them wrap. */
export function renderTable(rows: readonly Row[], columns: number, paint: Paint): string[] {
  const layout = columns >= 100 ? ROOMY : columns >= 76 ? USUAL : NARROW;
  const { gap, hashLength, local, primary, staleness, error } = layout;
  const primaryWidth = Math.max(hashLength, primary.length);
  const line = (spans: Span[]): string => paint(spans, columns - 1);
  const cells = (collection: string, mode: string): string =>
    `${collection.padEnd(layout.collection.length)}${gap}${mode.padEnd(13)}${gap}`;

  const hashes = `${local.padEnd(hashLength)}   ${primary.padEnd(primaryWidth)}`;
  const heading = `${cells(layout.collection, "mode")}${hashes}${gap}${staleness}${gap}${"outbox".padEnd(OUTBOX_LENGTH)}${gap}${error}`;
  return [
    line([[heading, "dim"]]),
    ...rows.map((row) =>
      line([
        [cells(row.collection, row.mode)],
        [shortHash(row.localHash, hashLength).padEnd(hashLength)],
        row.relation ? RELATIONS[row.relation] : ["   "],
        [shortHash(row.primaryHash, hashLength).padEnd(primaryWidth)],
        [`${gap}${formatStaleness(row.stalenessMs).padEnd(staleness.length)}${gap}`],
        formatOutbox(row.outbox),
        [gap],
        // They are all about the primary.
        [row.lastError?.replace(/^PRIMARY_/, "") ?? "-", row.recovered ? "dim" : "red"],
      ]),
    ),
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
  if (ms < 119_500) return `${Math.round(ms / 1_000)} s`;
  if (ms < 5_970_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

function formatOutbox(outbox: OutboxRow | null): Span {
  if (outbox?.deadLetter) return ["dead letter", "red"];
  if (outbox?.waiting) return ["waiting".padEnd(OUTBOX_LENGTH), "yellow"];
  return [(outbox?.sent ? `sent ${outbox.sent}` : "-").padEnd(OUTBOX_LENGTH)];
}
