import type { SqliteRow } from "../../sqlite/sqlite-value.js";
import type { LocalTable } from "../local/local-table.js";
import type { SourceTable } from "../sources/source-table.js";
import type { KeyRange, TableSource } from "../sources/table-source.js";
import { compareKeys, equalRows } from "./key-order.js";

/** A key whose rows differ. `null`: that side has no such row. */
export interface RowDifference {
  readonly key: SqliteRow;
  readonly source: SqliteRow | null;
  readonly local: SqliteRow | null;
}

export interface Comparison {
  readonly source: TableSource;
  readonly table: SourceTable;
  readonly local: LocalTable;
  readonly signal: AbortSignal;
  /** Told after each range that was settled, with the rows that it has here. */
  onRange?(rows: number): void;
}

/** Rows per range where an index gives ranges; a digest of that many takes the source some tens of milliseconds. */
const RANGE_ROWS = 10_000;
/** Ranges of a table without such an index: each costs the source a scan. */
const SCANNED_RANGES = 16;
/** Ranges this small are read rather than split. */
const LEAF_ROWS = 500;
const SCANNED_LEAF_ROWS = 20_000;
const PAGE_ROWS = 500;

/**
 * Gives a `null` for each range that is settled, so that whoever follows can stop there.
 * Finds the rows that differ: both sides digest key ranges, ranges whose digests differ are split until they are small, and only those are
 * read. A digest that differs is a reason to look, never a finding. In bounded memory.
 */
export async function* compareRanges(comparison: Comparison): AsyncGenerator<RowDifference | null> {
  const { source, table, local, signal } = comparison;
  const leafRows = table.rangesIndexed ? LEAF_ROWS : SCANNED_LEAF_ROWS;
  const all: KeyRange = { lower: null, upper: null };
  const pieceRows = table.rangesIndexed ? RANGE_ROWS : Math.max(RANGE_ROWS, Math.ceil(local.count() / SCANNED_RANGES));
  const todo = splitRange(all, await local.keysEvery(all, pieceRows)).reverse();
  for (let range = todo.pop(); range; range = todo.pop()) {
    signal.throwIfAborted();
    // The source works while we do.
    const [there, here] = await Promise.all([source.digest(table, range, signal), local.digest(range, signal)]);
    if (there.rows === here.rows && there.digest === here.digest) {
      comparison.onRange?.(here.rows);
      yield null;
      continue;
    }
    const inner =
      here.rows > leafRows ? await local.keysEvery(range, Math.max(leafRows, Math.ceil(here.rows / 16))) : [];
    if (inner.length > 0) {
      todo.push(...splitRange(range, inner).reverse());
      continue;
    }
    yield* mergeRange(comparison, range);
    comparison.onRange?.(here.rows);
  }
}

function splitRange({ lower, upper }: KeyRange, inner: readonly SqliteRow[]): KeyRange[] {
  const bounds = [lower, ...inner, upper];
  return bounds.slice(1).map((bound, index) => ({ lower: bounds[index] ?? null, upper: bound }));
}

/** Reads both sides of a range in key order, side by side. */
async function* mergeRange(
  { source, table, local, signal }: Comparison,
  range: KeyRange,
): AsyncGenerator<RowDifference> {
  const theirs = rowsOf(source.readRange(table, range, PAGE_ROWS, signal));
  const ours = rowsOf(local.readRange(range, PAGE_ROWS, signal));
  try {
    let there = await theirs.next();
    let here = await ours.next();
    while (!there.done || !here.done) {
      const order = there.done ? 1 : here.done ? -1 : compareKeys(local.keyOf(there.value), local.keyOf(here.value));
      if (order === 0 && !there.done && !here.done) {
        if (!equalRows(there.value, here.value))
          yield { key: local.keyOf(here.value), source: there.value, local: here.value };
        there = await theirs.next();
        here = await ours.next();
      } else if (order < 0 && !there.done) {
        yield { key: local.keyOf(there.value), source: there.value, local: null };
        there = await theirs.next();
      } else if (!here.done) {
        yield { key: local.keyOf(here.value), source: null, local: here.value };
        here = await ours.next();
      }
    }
  } finally {
    await Promise.all([theirs.return(undefined), ours.return(undefined)]);
  }
}

async function* rowsOf(
  pages: AsyncIterable<readonly SqliteRow[] | { readonly rows: readonly SqliteRow[] }>,
): AsyncGenerator<SqliteRow, undefined> {
  for await (const page of pages) yield* "rows" in page ? page.rows : page;
  return undefined;
}
