import { type ReplicaError, toReplicaError } from "../../errors.js";
import type { SyncReason } from "../../scheduler/sync-context.js";
import type { LocalDatabase } from "../local/local-database.js";
import type { SourceTable } from "../sources/source-table.js";
import type { TableSource } from "../sources/table-source.js";
import type { TaskRecord, VerifyResult } from "../tasks/table-task.js";
import type { TaskStore } from "../tasks/task-store.js";
import { planCopy } from "./choose-cursor.js";
import { CopyBook } from "./copy-book.js";
import { describeAsCopied } from "./describe-as-copied.js";
import { reconcile } from "./reconcile.js";
import { emptyTotals, keepCounted, type RunTotals } from "./run-totals.js";
import { TableCopy } from "./table-copy.js";
import type { ProgressHandler, TableProgress, UnitOutcome } from "./table-engine.js";
import { verifyKeyless, verifyTable } from "./verify-table.js";

export interface TaskWorkOptions {
  readonly database: LocalDatabase;
  readonly store: TaskStore;
  readonly lagSeconds: number;
  readonly onProgress: ProgressHandler;
  openSource(name: string): Promise<TableSource>;
}

/** A run that has begun, kept from unit to unit. */
interface Run {
  readonly steps: AsyncGenerator<void, SourceTable>;
  readonly abort: AbortController;
  readonly book: CopyBook;
  readonly totals: RunTotals;
}

/** `verify`: to have the newest rows before they are compared, which must not mend what is to be found. */
type RunReason = SyncReason | "verify";

/** A unit ends after the batch in which this much time has passed. */
const UNIT_MS = 1_000;
const PROGRESS_EVERY_MS = 100;
/** Comparing takes at most one part in this many of the time. */
const RECONCILE_SHARE = 10;

/** The work on one task, one piece at a time. */
export class TaskWork {
  readonly #id: string;
  readonly #options: TaskWorkOptions;
  #run: Run | null = null;
  #verifying: AbortController | null = null;
  #closed: ReplicaError | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #progressAt = Number.NEGATIVE_INFINITY;
  #untold: TableProgress | null = null;

  constructor(id: string, options: TaskWorkOptions) {
    this.#id = id;
    this.#options = options;
  }

  /** One unit of the run under way, or of a new one. */
  async advance(reason: SyncReason, signal: AbortSignal): Promise<UnitOutcome> {
    if (this.#verifying) return { changed: false, rowsPulled: 0, rowsDeleted: 0, bytes: 0, more: false, busy: true };
    return await this.#inTurn(() => this.#unit(reason, signal));
  }

  async verify(repair: boolean, signal: AbortSignal): Promise<VerifyResult> {
    const abort = new AbortController();
    const both = AbortSignal.any([signal, abort.signal]);
    return await this.#inTurn(async () => {
      this.#verifying = abort;
      try {
        return await this.#verify(repair, both);
      } finally {
        this.#verifying = null;
        this.#reportLast();
      }
    });
  }

  /** Ends what is under way. @param final nothing begins after it. */
  async end(reason: ReplicaError, final = false): Promise<void> {
    if (final) this.#closed = reason;
    this.#run?.abort.abort(reason);
    this.#verifying?.abort(reason);
    await this.#inTurn(async () => {
      if (this.#run) await this.#finish(this.#run, reason);
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return await turn;
  }

  async #unit(reason: RunReason, signal: AbortSignal): Promise<UnitOutcome> {
    if (this.#closed) throw this.#closed;
    const run = this.#run ?? this.#begin(reason);
    const before = { ...run.totals };
    const forward = (): void => run.abort.abort(signal.reason);
    signal.addEventListener("abort", forward, { once: true });
    let more = true;
    try {
      signal.throwIfAborted();
      const deadline = performance.now() + UNIT_MS;
      while (more && performance.now() < deadline) more = !(await run.steps.next()).done;
    } catch (cause) {
      const error = run.abort.signal.aborted ? run.abort.signal.reason : cause;
      await this.#finish(run, toReplicaError(error, "SOURCE_FAILED", this.#id));
      throw error;
    } finally {
      signal.removeEventListener("abort", forward);
    }
    if (!more) await this.#finish(run, null);
    const rowsPulled = run.totals.rowsPulled - before.rowsPulled;
    const rowsDeleted = run.totals.rowsDeleted - before.rowsDeleted;
    return {
      changed: rowsPulled + rowsDeleted > 0,
      rowsPulled,
      rowsDeleted,
      bytes: run.totals.bytes - before.bytes,
      more,
    };
  }

  #begin(reason: RunReason): Run {
    const { database, store } = this.#options;
    const task = store.existing(this.#id);
    const abort = new AbortController();
    const totals = emptyTotals();
    const book = new CopyBook(database, store, task.id, task.targetTable);
    // What a comparison catches up with is no run of its own: it would push the real ones out of the history.
    if (reason !== "verify") book.beginRun(totals);
    const run: Run = { abort, book, totals, steps: this.#steps(task, book, totals, abort.signal, reason) };
    this.#run = run;
    return run;
  }

  async *#steps(
    stored: TaskRecord,
    book: CopyBook,
    totals: RunTotals,
    signal: AbortSignal,
    reason: RunReason,
  ): AsyncGenerator<void, SourceTable> {
    const source = await this.#options.openSource(stored.source);
    // Until the first copy the plan may be no more than what was wished for, while the source was out of reach.
    const planned = stored.mode === "full" || (stored.mode !== null && stored.cursorColumn !== null);
    const task = book.table && planned ? stored : await this.#resolve(stored, source, signal);
    const firstCopy = !book.state.complete;
    const copy = this.#copy(task, source, book, totals, signal);
    const table = yield* copy.catchUp();
    // A full copy has left nothing to compare.
    const reconciles = task.deletes === "reconcile" && task.mode !== "full";
    const due = reconciles && !firstCopy && reconcileIsDue(book, reason);
    if (due || book.state.compare) {
      const began = Date.now();
      yield* reconcile({
        source,
        table,
        local: copy.local(table),
        signal,
        keepExtra: !reconciles,
        commit: ({ written, deleted }, work) =>
          keepCounted(totals, { rowsPulled: written, rowsDeleted: deleted }, () => book.commit({}, work)),
        onRange: this.#rangeProgress(task, table),
      });
      const reconciled = { atMs: Date.now(), tookMs: Date.now() - began };
      book.commit({ state: { ...book.state, compare: false, ...(reconciles && { reconciled }) } });
    }
    return table;
  }

  async #finish(run: Run, error: ReplicaError | null): Promise<void> {
    this.#run = null;
    this.#reportLast();
    // The generator's source gives its connection back. What fails now has nobody left to tell: the run's own error is what counts.
    await run.steps.return(undefined as never).catch(() => {});
    try {
      run.book.endRun(
        error && { code: error.code, message: error.hint ? `${error.message} (${error.hint})` : error.message },
      );
    } catch (cause) {
      if (!error) throw cause;
    }
  }

  async #verify(repair: boolean, signal: AbortSignal): Promise<VerifyResult> {
    const { store } = this.#options;
    const full = store.existing(this.#id).mode === "full";
    const run = async (): Promise<void> => {
      while ((await this.#unit("verify", signal)).more);
    };
    const catchUp = async (): Promise<void> => {
      // A full copy would hide what is to be found.
      if (full && store.readState(store.existing(this.#id).targetTable)?.table) return;
      await run();
    };
    await catchUp();
    const task = store.existing(this.#id);
    const source = await this.#options.openSource(task.source);
    const totals = emptyTotals();
    const book = (): CopyBook => new CopyBook(this.#options.database, store, task.id, task.targetTable);
    const copy = this.#copy(task, source, book(), totals, signal);
    const table = await describeAsCopied({ describe: () => copy.describe(), copied: () => book().table, run });
    const verification = {
      source,
      table,
      local: copy.local(table),
      signal,
      repair,
      catchUp,
      // A catch-up in between has moved on: what is kept beside the rows is read anew.
      commit: (_done: unknown, work: () => void) => book().commit({}, work),
      onRange: this.#rangeProgress(task, table),
      lagSeconds: this.#options.lagSeconds,
    };
    if (table.primaryKey.length > 0) return await verifyTable(verification);
    const result = await verifyKeyless(verification);
    if (result.equal || !repair) return result;
    const kept = book();
    kept.commit({ state: { ...kept.state, rebuild: "verify found differences" } });
    let repaired = 0;
    for (let more = true; more; ) {
      const outcome = await this.#unit("verify", signal);
      repaired += outcome.rowsPulled;
      more = outcome.more;
    }
    return { ...result, repaired };
  }

  #copy(task: TaskRecord, source: TableSource, book: CopyBook, totals: RunTotals, signal: AbortSignal): TableCopy {
    const { database, lagSeconds } = this.#options;
    const onProgress = (rowsEstimated: number | null): void =>
      this.#report({
        taskId: task.id,
        targetTable: task.targetTable,
        phase: "copy",
        rowsDone: totals.rowsPulled,
        rowsEstimated,
      });
    return new TableCopy({ task, source, database, book, totals, lagSeconds, signal, onProgress });
  }

  /** Fills in how the table is copied. */
  async #resolve(task: TaskRecord, source: TableSource, signal: AbortSignal): Promise<TaskRecord> {
    const { numeric, columns } = task;
    const table = await source.describe(task.sourceTable, { numeric, signal, ...(columns && { columns }) });
    return this.#options.store.update(task.id, planCopy(table, { ...wishesOf(task) }));
  }

  #rangeProgress(task: TaskRecord, table: SourceTable): (rows: number) => void {
    let rowsDone = 0;
    return (rows) => {
      rowsDone += rows;
      const rowsEstimated = table.estimatedRows;
      this.#report({ taskId: task.id, targetTable: task.targetTable, phase: "verify", rowsDone, rowsEstimated });
    };
  }

  /** Not every batch, but always the last one: see {@link #reportLast}. */
  #report(progress: TableProgress): void {
    this.#untold = progress;
    if (performance.now() - this.#progressAt >= PROGRESS_EVERY_MS) this.#reportLast();
  }

  #reportLast(): void {
    if (this.#untold) this.#options.onProgress(this.#untold);
    this.#untold = null;
    this.#progressAt = performance.now();
  }
}

function wishesOf({ mode, ...task }: TaskRecord): Parameters<typeof planCopy>[1] {
  return { ...task, ...(mode && { mode }) };
}

function reconcileIsDue(book: CopyBook, reason: RunReason): boolean {
  if (reason === "requested" || reason === "verify") return reason === "requested";
  const { reconciled } = book.state;
  if (reconciled === null) return true;
  const elapsedMs = Date.now() - reconciled.atMs;
  // A clock that was set back says nothing.
  return elapsedMs < 0 || elapsedMs >= reconciled.tookMs * RECONCILE_SHARE;
}
