import { ReplicaError } from "../../errors.js";
import type { LocalTable } from "../local/local-table.js";
import type { SourceTable } from "../sources/source-table.js";
import type { TableSource } from "../sources/table-source.js";
import type { SqliteRow, SqliteValue } from "../sqlite-value.js";
import type { RowDifference } from "./compare-ranges.js";
import { equalRows } from "./key-order.js";

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
  const keyColumns = table.primaryKey.map((name) => table.columns.findIndex((column) => column.name === name));
  if (keyColumns.includes(-1))
    throw new ReplicaError("SOURCE_FAILED", `${table.name}: its primary key is not among its columns`);
  const byKey = (rows: readonly SqliteRow[]): Map<string, SqliteRow> =>
    new Map(rows.map((row) => [nameKey(keyColumns.map((index) => row[index] ?? null)), row]));
  // Ours first: what is written in between is newer at the source, never here.
  const here = byKey(local.readKeys(keys));
  const there = byKey(await source.readKeys(table, keys, signal));
  return keys.map((key) => ({ key, source: there.get(nameKey(key)) ?? null, local: here.get(nameKey(key)) ?? null }));
}

/** A text that is equal for equal keys. */
export function nameKey(key: SqliteRow): string {
  return JSON.stringify(key.map(nameValue));
}

function nameValue(value: SqliteValue): unknown {
  if (typeof value === "bigint") return `i${value}`;
  if (typeof value === "string") return `t${value}`;
  return value instanceof Uint8Array ? `b${Buffer.from(value).toString("hex")}` : value;
}

function same(left: SqliteRow | null, right: SqliteRow | null): boolean {
  return left === null || right === null ? left === right : equalRows(left, right);
}
