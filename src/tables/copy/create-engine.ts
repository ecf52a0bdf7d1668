import { randomUUID } from "node:crypto";
import { ReplicaError } from "../../errors.js";
import type { SyncReason } from "../../scheduler/sync-context.js";
import { type FileLock, lockFile } from "../../sqlite/file-lock.js";
import { beforeAbort } from "../../threads/before-abort.js";
import { tableExists } from "../local/create-table.js";
import { LocalDatabase } from "../local/local-database.js";
import { ShadowTable } from "../local/shadow-table.js";
import { targetNameMistake } from "../local/target-name.js";
import type { SourceTable } from "../sources/source-table.js";
import type { TableSource } from "../sources/table-source.js";
import type { TableRun, TableTaskDefinition, TaskRecord, VerifyResult } from "../tasks/table-task.js";
import { findByDefinition, targetOf } from "../tasks/target-of.js";
import { TaskStore } from "../tasks/task-store.js";
import { planCopy } from "./choose-cursor.js";
import { NEW_COPY } from "./copy-state.js";
import { openSource } from "./open-source.js";
import type { EngineOptions, ProgressHandler, TableEngine, TaskChange, UnitOutcome } from "./table-engine.js";
import { targetTaken } from "./target-taken.js";
import { needsNewCopy } from "./task-differences.js";
import { TaskWork } from "./task-work.js";

const DEFAULT_BATCH_SIZE = 5_000;

/** The engine of a local file, in the caller's thread. */
export function createEngine(options: EngineOptions, onProgress: ProgressHandler): TableEngine {
  return new Engine(options, onProgress);
}

const PAUSED: UnitOutcome = { changed: false, rowsPulled: 0, rowsDeleted: 0, bytes: 0, more: false, busy: true };

interface Opened {
  readonly database: LocalDatabase;
  readonly store: TaskStore;
  readonly lock: FileLock;
}

class Engine implements TableEngine {
  readonly #options: EngineOptions;
  readonly #onProgress: ProgressHandler;
  readonly #sources = new Map<string, Promise<TableSource>>();
  readonly #work = new Map<string, TaskWork>();
  readonly #comparing = new Map<string, Promise<unknown>>();
  #opened: Opened | null = null;

  constructor(options: EngineOptions, onProgress: ProgressHandler) {
    this.#options = options;
    this.#onProgress = onProgress;
  }

  async open(): Promise<readonly TaskRecord[]> {
    if (!this.#opened) {
      const database = await LocalDatabase.open(this.#options.database);
      let lock: FileLock | undefined;
      try {
        lock = await lockFile(database.path, {
          what: `The local database ${database.path} is being copied into by another process`,
          hint: "stop that one, or give each its own file; reading the file is possible at any time",
        });
        const store = new TaskStore(database);
        store.create();
        store.closeInterruptedRuns();
        this.#opened = { database, store, lock };
      } catch (error) {
        lock?.release();
        database.close();
        throw error;
      }
    }
    return this.#opened.store.list();
  }

  async addTask(definition: TableTaskDefinition, signal: AbortSignal): Promise<TaskRecord> {
    return this.#insert(this.#plan(definition, await this.#describe(definition, signal)));
  }

  async ensureTask(definition: TableTaskDefinition, signal: AbortSignal): Promise<TaskRecord> {
    const { store } = this.#books;
    const source = this.#sourceName(definition);
    const named = definition.targetTable === undefined ? findByDefinition(store.list(), definition, source) : null;
    const kept = named ?? store.findByTarget(targetOf(definition));
    if (kept && !needsNewCopy(kept, { ...definition, source })) {
      const { intervalSeconds = this.#options.intervalSeconds, batchSize = DEFAULT_BATCH_SIZE } = definition;
      // What was not planned yet, since the source was out of reach, may still be wished for.
      const { mode, cursorColumn } = kept.mode === null ? definition : kept;
      const plan = { ...(mode && { mode }), ...(cursorColumn && { cursorColumn }) };
      return store.update(kept.id, { intervalSeconds, batchSize, deletes: definition.deletes ?? null, ...plan });
    }
    let table: SourceTable | null = null;
    try {
      table = await this.#describe(definition, signal);
    } catch (error) {
      if (!isOutOfReach(error)) throw error;
    }
    const record = this.#plan(definition, table);
    if (kept) await this.removeTask(kept.id);
    return this.#insert(record);
  }

  async updateTask(id: string, change: TaskChange): Promise<TaskRecord> {
    const { store } = this.#books;
    const task = store.update(id, change);
    if (change.paused) await this.#work.get(id)?.end(new ReplicaError("STOPPED", `${task.targetTable}: paused`));
    return store.existing(id);
  }

  async removeTask(id: string): Promise<void> {
    const { database, store } = this.#books;
    const task = store.existing(id);
    await this.#work.get(id)?.end(new ReplicaError("STOPPED", `${task.targetTable}: removed`), true);
    this.#work.delete(id);
    database.transaction(() => {
      store.releaseState(task.targetTable);
      store.remove(id);
      ShadowTable.dropLeftover(database, task.targetTable);
    });
  }

  async advance(id: string, reason: SyncReason, signal: AbortSignal): Promise<UnitOutcome> {
    // Paused behind our back, in the file.
    if (this.#books.store.existing(id).paused) return PAUSED;
    return await this.#workOn(id).advance(reason, signal);
  }

  async verify(id: string, repair: boolean, signal: AbortSignal): Promise<VerifyResult> {
    const work = this.#workOn(id);
    const { source } = this.#books.store.existing(id);
    // One at a time: a comparison has two streams open, and two with one each would wait for the other's.
    const before = this.#comparing.get(source) ?? Promise.resolve();
    const turn = beforeAbort(before, signal).then(() => work.verify(repair, signal));
    this.#comparing.set(source, Promise.allSettled([before, turn]));
    return await turn;
  }

  async task(id: string): Promise<TaskRecord> {
    return this.#books.store.existing(id);
  }

  async runs(id: string, limit: number): Promise<readonly TableRun[]> {
    this.#books.store.existing(id);
    return this.#books.store.runs(id, limit);
  }

  async close(): Promise<void> {
    const stopped = new ReplicaError("STOPPED", "replication is stopped");
    await Promise.all([...this.#work.values()].map((work) => work.end(stopped, true)));
    this.#work.clear();
    const sources = [...this.#sources.values()];
    this.#sources.clear();
    await Promise.allSettled(sources.map(async (source) => (await source).close()));
    this.#opened?.database.close();
    this.#opened?.lock.release();
    this.#opened = null;
  }

  get #books(): Opened {
    if (!this.#opened) throw new ReplicaError("STOPPED", "the local database is not open");
    return this.#opened;
  }

  #workOn(id: string): TaskWork {
    const { database, store } = this.#books;
    // Throws where there is no such task.
    store.existing(id);
    let work = this.#work.get(id);
    if (!work) {
      const { lagSeconds } = this.#options;
      const open = (name: string): Promise<TableSource> => this.#source(name);
      work = new TaskWork(id, { database, store, lagSeconds, onProgress: this.#onProgress, openSource: open });
      this.#work.set(id, work);
    }
    return work;
  }

  async #describe(definition: TableTaskDefinition, signal: AbortSignal): Promise<SourceTable> {
    const source = await this.#source(this.#sourceName(definition));
    const { numeric = "real", columns } = definition;
    return await source.describe(definition.sourceTable, { numeric, signal, ...(columns && { columns }) });
  }

  /** The task that a definition means. @param table `null` where the source is out of reach: its first run plans the rest. */
  #plan(definition: TableTaskDefinition, table: SourceTable | null): TaskRecord {
    const targetTable = definition.targetTable ?? table?.name ?? targetOf(definition);
    const mistake = targetNameMistake(targetTable);
    if (mistake) throw new ReplicaError("INVALID_TASK", `targetTable: ${mistake}`);
    const plan = table
      ? planCopy(table, definition)
      : { mode: definition.mode ?? null, cursorColumn: definition.cursorColumn ?? null };
    return {
      id: randomUUID(),
      source: this.#sourceName(definition),
      sourceTable: definition.sourceTable,
      targetTable,
      columns: definition.columns ?? null,
      ...plan,
      intervalSeconds: definition.intervalSeconds ?? this.#options.intervalSeconds,
      batchSize: definition.batchSize ?? DEFAULT_BATCH_SIZE,
      deletes: definition.deletes ?? null,
      numeric: definition.numeric ?? "real",
      paused: false,
      cursor: null,
      lastRun: null,
      lastSuccessAt: null,
    };
  }

  #insert(record: TaskRecord): TaskRecord {
    const { database, store } = this.#books;
    const { targetTable } = record;
    return database.transaction(() => {
      store.insert(record);
      const left = store.readState(targetTable);
      if (!left && tableExists(database, targetTable)) throw targetTaken(targetTable);
      // A copy that an earlier task left is replaced at once, not mixed with.
      const data = { ...NEW_COPY, rebuild: left?.table ? "made by an earlier task" : null };
      if (left) store.writeState(targetTable, { table: left.table, data, cursor: null });
      return store.existing(record.id);
    });
  }

  #sourceName({ source }: TableTaskDefinition): string {
    const names = Object.keys(this.#options.sources);
    const name = source ?? (names.length === 1 ? names[0] : undefined);
    if (name !== undefined && Object.hasOwn(this.#options.sources, name)) return name;
    const what = source === undefined ? "missing, and there is more than one" : `unknown: "${source}"`;
    throw new ReplicaError("INVALID_TASK", `source: ${what}`, { hint: `name one of ${names.join(", ")}` });
  }

  #source(name: string): Promise<TableSource> {
    let source = this.#sources.get(name);
    if (!source) {
      const url = this.#options.sources[name];
      if (url === undefined)
        return Promise.reject(
          new ReplicaError("INVALID_TASK", `source: "${name}" is not in the configuration any more`, {
            hint: "add it to sources, or remove the task",
          }),
        );
      source = openSource(name, url, this.#options.concurrency);
      this.#sources.set(name, source);
      source.catch(() => this.#sources.delete(name));
    }
    return source;
  }
}

/** A source that may come back, as opposed to a task that cannot work. */
function isOutOfReach(error: unknown): boolean {
  return (
    error instanceof ReplicaError &&
    ["SOURCE_UNREACHABLE", "SOURCE_REFUSED", "SOURCE_FAILED", "TABLE_MISSING"].includes(error.code)
  );
}
