import { ReplicaError } from "../../errors.js";
import { createTable, tableExists } from "../local/create-table.js";
import type { LocalDatabase } from "../local/local-database.js";
import { LocalTable } from "../local/local-table.js";
import { compareTables, followSchema, type SchemaChange } from "../local/schema-change.js";
import { ShadowTable } from "../local/shadow-table.js";
import type { SourceColumn, SourceTable } from "../sources/source-table.js";
import type { SourceBatch, TableSource } from "../sources/table-source.js";
import type { TaskRecord } from "../tasks/table-task.js";
import { planCopy } from "./choose-cursor.js";
import type { CopyBook } from "./copy-book.js";
import { type CopyState, NEW_COPY } from "./copy-state.js";
import { passCursor } from "./cursor-pass.js";
import { keepCounted, type RunTotals } from "./run-totals.js";
import { targetTaken } from "./target-taken.js";

export interface TableCopyOptions {
  readonly task: TaskRecord;
  readonly source: TableSource;
  readonly database: LocalDatabase;
  readonly book: CopyBook;
  readonly totals: RunTotals;
  readonly lagSeconds: number;
  readonly signal: AbortSignal;
  onProgress(rowsEstimated: number | null): void;
}

/** Brings one local table up to its source: its columns first, then its rows. */
export class TableCopy {
  readonly #options: TableCopyOptions;

  constructor(options: TableCopyOptions) {
    this.#options = options;
  }

  /** The source's table as it is now. */
  async describe(): Promise<SourceTable> {
    const { task, source, signal } = this.#options;
    return await source.describe(task.sourceTable, {
      numeric: task.numeric,
      signal,
      ...(task.columns && { columns: task.columns }),
    });
  }

  /** The local table with the columns that the source has. */
  local(table: SourceTable): LocalTable {
    const columns = table.columns.map(({ name }) => name);
    return new LocalTable(this.#options.database, this.#options.task.targetTable, columns, table.primaryKey);
  }

  /** Copies until everything that was visible at the source when this began is here. Yields after each batch. */
  async *catchUp(): AsyncGenerator<void, SourceTable> {
    const { task, book } = this.#options;
    const table = await this.describe();
    this.#verifyPlan(table);
    const reason = task.mode === "full" ? "full" : await this.#followSchema(table);
    if (reason !== null) yield* this.#copyAnew(table, reason);
    else {
      const local = this.local(table);
      const write = (batch: SourceBatch | null, state: CopyState): void =>
        this.#keep(batch, () => book.commit({ state }, () => batch && local.write(batch.rows)));
      yield* this.#pass(table, book.state, write, book.state.complete ? null : table.estimatedRows);
    }
    return table;
  }

  /** What the plan needs may have gone since it was made: the primary key, the cursor column. */
  #verifyPlan(table: SourceTable): void {
    const { mode, ...task } = this.#options.task;
    planCopy(table, { ...task, ...(mode && { mode }) });
  }

  /** @returns why the table must be copied anew, where it must. */
  async #followSchema(table: SourceTable): Promise<string | null> {
    const { task, database, book, source, signal } = this.#options;
    const before = book.table;
    if (!before) {
      if (tableExists(database, task.targetTable)) throw targetTaken(task.targetTable);
      book.commit({ table, state: NEW_COPY }, () => createTable(database, task.targetTable, table));
      this.#noteMissingIndex(table);
      return null;
    }
    if (book.state.rebuild !== null) return book.state.rebuild;
    if (!tableExists(database, task.targetTable)) return "the local table was gone";
    const change = compareTables(before, table);
    if (change.kind === "rebuild") return change.reason ?? "its columns have changed";
    if (change.kind === "same") return null;
    const dropped = new Set([...book.state.droppedColumns, ...change.dropped]);
    for (const { name } of change.added) dropped.delete(name);
    // The source may have filled a new column without touching the cursor, so that its rows have to come again.
    const isFilled = async ({ name }: SourceColumn): Promise<boolean> =>
      name === task.cursorColumn || (await source.hasValues(table, name, signal));
    const filled = await Promise.all(change.added.map(isFilled));
    const state: CopyState = { ...book.state, droppedColumns: [...dropped] };
    const again: CopyState = filled.includes(true)
      ? { ...state, horizon: NEW_COPY.horizon, nulls: NEW_COPY.nulls, complete: false }
      : state;
    // A table without a primary key cannot take rows a second time.
    if (again !== state && table.primaryKey.length === 0) return "a column was added";
    return this.#follow(change, table, again);
  }

  /** Alters the local table. @returns why that was not possible and nothing has changed, where it was not. */
  #follow(change: SchemaChange, table: SourceTable, state: CopyState): string | null {
    const { task, database, book } = this.#options;
    let obstacle: string | null = null;
    try {
      book.commit({ table, state }, () => {
        obstacle = followSchema(database, task.targetTable, change);
        if (obstacle !== null) throw new TypeError(obstacle);
      });
    } catch (error) {
      if (obstacle === null) throw error;
    }
    return obstacle;
  }

  /** Copies the whole table beside the old one, which readers see until both change places. */
  async *#copyAnew(table: SourceTable, reason: string): AsyncGenerator<void> {
    const { task, database, book, source, signal, totals } = this.#options;
    if (task.mode !== "full") totals.notes.push(`copied anew: ${reason}`);
    if (!book.table && tableExists(database, task.targetTable)) throw targetTaken(task.targetTable);
    const shadow = ShadowTable.begin(database, task.targetTable, table);
    let swapped = false;
    try {
      let state: CopyState = { ...NEW_COPY, complete: true };
      const write = (batch: SourceBatch | null): void =>
        this.#keep(batch, () => database.transaction(() => batch && shadow.table.write(batch.rows)));
      if (task.cursorColumn === null) {
        for await (const batch of source.read({ table, keyset: [], batchSize: task.batchSize, signal })) {
          write(batch);
          this.#options.onProgress(table.estimatedRows);
          yield;
        }
      } else state = yield* this.#pass(table, NEW_COPY, write, table.estimatedRows);
      book.commit({ table, state }, () => {
        for (const { kind, name, reason: why } of shadow.swap())
          totals.notes.push(`the ${kind} "${name}" on the copy was dropped: ${why}`);
      });
      swapped = true;
    } finally {
      // Also where the task was paused or removed between two batches, which is no error.
      if (!swapped) dropQuietly(shadow);
    }
  }

  #noteNullCursors(rows: number): void {
    const { task, totals } = this.#options;
    totals.nullCursorRows = rows;
    if (rows === 0 || task.deletes === "reconcile") return;
    totals.notes.push(
      `${rows} rows have no "${task.cursorColumn}", so that later ones of their kind are not copied: fill it, or use deletes: "reconcile"`,
    );
  }

  #noteMissingIndex(table: SourceTable): void {
    const { task, totals } = this.#options;
    const cursor = table.columns.find(({ name }) => name === task.cursorColumn);
    if (!cursor || cursor.indexed) return;
    const columns = [...new Set([cursor.name, ...table.primaryKey])].join(", ");
    totals.notes.push(
      `no index at the source begins with "${cursor.name}", so each run sorts the table: make one on (${columns})`,
    );
  }

  async *#pass(
    table: SourceTable,
    start: CopyState,
    write: (batch: SourceBatch | null, state: CopyState) => void,
    rowsEstimated: number | null,
  ): AsyncGenerator<void, CopyState> {
    const { task, source, lagSeconds, signal, onProgress } = this.#options;
    if (task.cursorColumn === null) throw new ReplicaError("INVALID_TASK", "cursorColumn: missing");
    return yield* passCursor({
      source,
      table,
      cursorColumn: task.cursorColumn,
      batchSize: task.batchSize,
      lagSeconds,
      start,
      signal,
      write: (batch, state) => {
        write(batch, state);
        onProgress(rowsEstimated);
      },
      onNullCursors: (rows) => this.#noteNullCursors(rows),
    });
  }

  #keep(batch: SourceBatch | null, commit: () => void): void {
    keepCounted(this.#options.totals, { ...batch, rowsPulled: batch?.rows.length ?? 0 }, commit);
  }
}

/** What is left is dropped by the next attempt; the error that led here is the one to tell. */
function dropQuietly(shadow: ShadowTable): void {
  try {
    shadow.drop();
  } catch {}
}
