/** What a run has done so far. */
export interface RunTotals {
  rowsPulled: number;
  rowsDeleted: number;
  bytes: number;
  lossyValues: number;
  nullCursorRows: number;
  /** For people; each once. */
  notes: string[];
}

export function emptyTotals(): RunTotals {
  return { rowsPulled: 0, rowsDeleted: 0, bytes: 0, lossyValues: 0, nullCursorRows: 0, notes: [] };
}

/** Adds a batch that was committed. */
export function addBatch(
  totals: RunTotals,
  batch: { rows: readonly unknown[]; bytes: number; lossyValues: number },
): void {
  totals.rowsPulled += batch.rows.length;
  totals.bytes += batch.bytes;
  totals.lossyValues += batch.lossyValues;
}
