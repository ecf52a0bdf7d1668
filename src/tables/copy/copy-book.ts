import type { LocalDatabase } from "../local/local-database.js";
import type { SourceTable } from "../sources/source-table.js";
import type { TableRun } from "../tasks/table-task.js";
import type { TaskStore } from "../tasks/task-store.js";
import { type CopyState, NEW_COPY } from "./copy-state.js";
import type { RunTotals } from "./run-totals.js";

/** What a commit changes beside the rows. */
export interface BookChange {
  readonly table?: SourceTable;
  readonly state?: CopyState;
}

/** One task's page in the books: rows, state and the run's totals are written together or not at all. */
export class CopyBook {
  readonly #database: LocalDatabase;
  readonly #store: TaskStore;
  readonly #taskId: string;
  readonly #target: string;
  #table: SourceTable | null = null;
  #state: CopyState = NEW_COPY;
  #run: { readonly id: number; readonly totals: RunTotals } | null = null;

  constructor(database: LocalDatabase, store: TaskStore, taskId: string, target: string) {
    this.#database = database;
    this.#store = store;
    this.#taskId = taskId;
    this.#target = target;
    const kept = store.readState(target);
    this.#table = kept?.table ?? null;
    if (kept?.data) this.#state = { ...NEW_COPY, ...(kept.data as Partial<CopyState>) };
  }

  /** The source's table as the copy was made from it; `null` before the first copy. */
  get table(): SourceTable | null {
    return this.#table;
  }

  get state(): CopyState {
    return this.#state;
  }

  /** The cursor value for people. */
  get cursor(): string | null {
    return cursorOf(this.#state);
  }

  beginRun(totals: RunTotals): void {
    this.#run = { id: this.#store.beginRun(this.#taskId, new Date().toISOString()), totals };
  }

  /** Runs `work` and keeps the change, in one transaction. Nothing has changed when it throws. */
  commit(change: BookChange, work?: () => void): void {
    const table = change.table ?? this.#table;
    const state = change.state ?? this.#state;
    this.#database.transaction(() => {
      work?.();
      const cursor = cursorOf(state);
      this.#store.writeState(this.#target, { table, data: state, cursor });
      if (this.#run) this.#store.updateRun(this.#run.id, { ...this.#run.totals, cursor });
    });
    this.#table = table;
    this.#state = state;
  }

  /** @param error what the run failed with; `null` where it succeeded. */
  endRun(error: TableRun["error"]): void {
    const run = this.#run;
    this.#run = null;
    if (!run) return;
    this.#database.transaction(() => {
      const finishedAt = new Date().toISOString();
      const droppedColumns = this.#state.droppedColumns;
      this.#store.updateRun(run.id, { ...run.totals, cursor: this.cursor, droppedColumns, finishedAt, error });
    });
  }
}

function cursorOf({ horizon, scan }: CopyState): string | null {
  return scan === null ? (horizon.position?.[0] ?? null) : null;
}
