import type { SourcePosition } from "../sources/table-source.js";
import type { Horizon } from "./horizon.js";

/** What a task remembers between batches, in the same transaction as the rows. Plain data: it is kept as JSON. */
export interface CopyState {
  readonly horizon: Horizon;
  /**
   * A copy from the start goes by primary key: the last key so far, empty before the first. `null` where that is done or was never
   * needed. Meanwhile the horizon's position is where the cursor takes over: rows up to it count as copied once this is `null`.
   */
  readonly scan: SourcePosition | null;
  /** Rows whose cursor is NULL are copied once: `null` before, their last key meanwhile, `done` afterwards. */
  readonly nulls: SourcePosition | "done" | null;
  /** The first copy is complete. */
  readonly complete: boolean;
  /** A transaction that was open when the copy began has ended: its rows are found by comparing all of it. */
  readonly compare: boolean;
  /** Columns that the source has dropped. */
  readonly droppedColumns: readonly string[];
  /** Why the table must be copied anew, where it must. */
  readonly rebuild: string | null;
  /** The last comparison with the source: when it ended and how long it took, in Unix milliseconds. */
  readonly reconciled: { readonly atMs: number; readonly tookMs: number } | null;
}

export const NEW_COPY: CopyState = {
  horizon: { position: null, held: [] },
  scan: null,
  nulls: null,
  complete: false,
  compare: false,
  droppedColumns: [],
  rebuild: null,
  reconciled: null,
};
