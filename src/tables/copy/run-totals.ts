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

/** What a transaction adds to a run. */
type RunStep = Partial<Pick<RunTotals, "rowsPulled" | "rowsDeleted" | "bytes" | "lossyValues">>;

/** Counts first, so that the transaction that keeps the rows keeps the count too; and not at all where it fails. */
export function keepCounted(totals: RunTotals, step: RunStep, commit: () => void): void {
  const before = { ...totals };
  totals.rowsPulled += step.rowsPulled ?? 0;
  totals.rowsDeleted += step.rowsDeleted ?? 0;
  totals.bytes += step.bytes ?? 0;
  totals.lossyValues += step.lossyValues ?? 0;
  try {
    commit();
  } catch (error) {
    Object.assign(totals, before);
    throw error;
  }
}
