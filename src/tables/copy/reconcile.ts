import type { SqliteRow } from "../../sqlite/sqlite-value.js";
import type { LocalTable } from "../local/local-table.js";
import type { SourceTable } from "../sources/source-table.js";
import type { TableSource } from "../sources/table-source.js";
import { compareRanges, type RowDifference } from "./compare-ranges.js";
import { CONFIRM_AT_ONCE } from "./confirm-differences.js";
import { nameKey } from "./key-order.js";

export interface Reconciliation {
  readonly source: TableSource;
  readonly table: SourceTable;
  readonly local: LocalTable;
  readonly signal: AbortSignal;
  /** Leave rows alone that the source does not have. Default `false`: they are deleted. */
  readonly keepExtra?: boolean;
  /** Keeps what `work` writes, in one transaction. */
  commit(done: { readonly written: number; readonly deleted: number }, work: () => void): void;
  onRange?(rows: number): void;
}

/** Makes the copy what the source is, deletions included unless `keepExtra`. Yields after each range and each batch of differences. */
export async function* reconcile(options: Reconciliation): AsyncGenerator<void> {
  let batch: RowDifference[] = [];
  for await (const difference of compareRanges(options)) {
    if (difference === null) {
      yield;
      continue;
    }
    if (options.keepExtra && difference.source === null) continue;
    batch.push(difference);
    if (batch.length < CONFIRM_AT_ONCE) continue;
    await mend(options, batch);
    batch = [];
    yield;
  }
  if (batch.length > 0) await mend(options, batch);
}

/** Writes the source's rows and deletes those that it does not have. @returns how many of each. */
export async function mend(
  { source, table, local, signal, commit }: Reconciliation,
  differences: readonly RowDifference[],
): Promise<{ readonly written: number; readonly deleted: number }> {
  const extra = differences.filter((difference) => difference.source === null).map(({ key }) => key);
  // A row is deleted only when the source, asked for it by name, does not have it.
  const back = extra.length === 0 ? [] : await source.readKeys(table, extra, signal);
  const present = new Map(back.map((row) => [nameKey(local.keyOf(row)), row]));
  const gone = extra.filter((key) => !present.has(nameKey(key)));
  const rows = [...differences.map((difference) => difference.source).filter(isRow), ...present.values()];
  const done = { written: rows.length, deleted: gone.length };
  commit(done, () => {
    local.deleteKeys(gone);
    local.write(rows);
  });
  return done;
}

function isRow(row: SqliteRow | null): row is SqliteRow {
  return row !== null;
}
