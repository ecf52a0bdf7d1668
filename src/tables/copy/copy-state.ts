import type { SourcePosition } from "../sources/table-source.js";
import type { Horizon } from "./horizon.js";

/** What a task remembers between batches, in the same transaction as the rows. Plain data: it is kept as JSON. */
export interface CopyState {
  readonly horizon: Horizon;
  /** Rows whose cursor is NULL are copied once: `null` before, their last key meanwhile, `done` afterwards. */
  readonly nulls: SourcePosition | "done" | null;
  /** The first copy is complete. */
  readonly complete: boolean;
  /** Columns that the source has dropped. */
  readonly droppedColumns: readonly string[];
  /** Why the table must be copied anew, where it must. */
  readonly rebuild: string | null;
  /** The last comparison with the source: when it ended and how long it took, in Unix milliseconds. */
  readonly reconciled: { readonly atMs: number; readonly tookMs: number } | null;
}

export const NEW_COPY: CopyState = {
  horizon: { position: null, held: [] },
  nulls: null,
  complete: false,
  droppedColumns: [],
  rebuild: null,
  reconciled: null,
};
