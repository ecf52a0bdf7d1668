import type { SqliteRow } from "../../sqlite/sqlite-value.js";
import type { LocalTable } from "../local/local-table.js";
import type { SourceTable } from "../sources/source-table.js";
import type { TableSource } from "../sources/table-source.js";
import type { RowDifference } from "./compare-ranges.js";
import { equalRows, nameKey } from "./key-order.js";

/** Differences looked at together. `readKeys` takes no more. */
export const CONFIRM_AT_ONCE = 500;

/** How often a row that keeps changing is looked at before the copy counts as not following. */
const ROUNDS = 4;

export interface Confirmation {
  readonly source: TableSource;
  readonly table: SourceTable;
  readonly local: LocalTable;
  readonly signal: AbortSignal;
  /** Copies what the source has by now. */
  catchUp(): Promise<void>;
}

/**
 * Of rows that differ on a table in use, those that the copy does not follow: after it has caught up, the row here is what it was, while the source's
 * is still another. A row that follows, however far behind, is no difference.
 */
export async function confirmDifferences(
  { source, table, local, signal, catchUp }: Confirmation,
  suspects: readonly RowDifference[],
): Promise<readonly RowDifference[]> {
  const confirmed: RowDifference[] = [];
  let open = suspects;
  for (let round = 0; open.length > 0; round += 1) {
    await catchUp();
    const now = await readBoth(source, table, local, open, signal);
    const still: RowDifference[] = [];
    for (const [index, before] of open.entries()) {
      const after = now[index];
      if (!after || same(after.source, after.local) || !same(after.local, before.local)) continue;
      // The catch-up began after the source's row was seen, so that the copy should have had it.
      if (same(after.source, before.source) || round === ROUNDS - 1) confirmed.push(after);
      else still.push(after);
    }
    open = still;
  }
  return confirmed;
}

async function readBoth(
  source: TableSource,
  table: SourceTable,
  local: LocalTable,
  suspects: readonly RowDifference[],
  signal: AbortSignal,
): Promise<readonly RowDifference[]> {
  const keys = suspects.map(({ key }) => key);
  const byKey = (rows: readonly SqliteRow[]): Map<string, SqliteRow> =>
    new Map(rows.map((row) => [nameKey(local.keyOf(row)), row]));
  // Ours first: what is written in between is newer at the source, never here.
  const here = byKey(local.readKeys(keys));
  const there = byKey(await source.readKeys(table, keys, signal));
  return keys.map((key) => ({ key, source: there.get(nameKey(key)) ?? null, local: here.get(nameKey(key)) ?? null }));
}

function same(left: SqliteRow | null, right: SqliteRow | null): boolean {
  return left === null || right === null ? left === right : equalRows(left, right);
}
