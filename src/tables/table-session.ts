import { ReplicaError } from "../errors.js";
import { ChannelScheduler } from "../scheduler/channel-scheduler.js";
import { guardErrorHandler } from "../scheduler/error-handler.js";
import type { ChannelStatus } from "../scheduler/run-ledger.js";
import { foldName } from "../sqlite/identifier.js";
import { beforeAbort } from "../threads/before-abort.js";
import type { TableThreads } from "./connect-tables.js";
import type { TableEngine, TaskChange } from "./copy/table-engine.js";
import { ProgressEvents } from "./progress-events.js";
import type { QueryRunner } from "./query/query-runner.js";
import { channelName, TableChannel } from "./table-channel.js";
import type { TableSettings } from "./table-settings.js";
import type { TableRun, TableTaskDefinition, TaskRecord, VerifyResult } from "./tasks/table-task.js";
import { targetOf } from "./tasks/target-of.js";

/** A task that is kept in step. */
interface KeptTask {
  /** As it was when it was last looked at. */
  record: TaskRecord;
  readonly channel: TableChannel;
  /** The interval that it runs at, in seconds; `null` while it does not run by itself. */
  every: number | null;
  /** Ends when everything that was asked of the task in this order has ended. */
  turn: Promise<unknown>;
  /** The comparison under way. */
  verifying: Promise<unknown> | null;
}

/** Errors about a stored task that a later run may find gone; with any other the configuration is wrong. */
const MAY_PASS: ReadonlySet<string> = new Set([
  "SOURCE_UNREACHABLE",
  "SOURCE_REFUSED",
  "SOURCE_FAILED",
  "TABLE_MISSING",
  "UNMAPPABLE_TYPE",
]);

/** Everything between one `start()` and the `stop()` after it. */
export class TableSession {
  readonly queries: QueryRunner;
  opened = false;
  readonly #settings: TableSettings;
  readonly #engine: TableEngine;
  readonly #scheduler: ChannelScheduler;
  readonly #progress: ProgressEvents;
  readonly #kept = new Map<string, KeptTask>();
  readonly #ended = new AbortController();

  constructor(settings: TableSettings, threads: TableThreads) {
    const { database, sources, syncIntervalSeconds: intervalSeconds, lagSeconds, queryTimeoutMs } = settings;
    const { concurrency, backOff, onError } = settings;
    this.#settings = settings;
    this.#progress = new ProgressEvents(settings.onProgress);
    this.#engine = threads.createEngine({ database, sources, intervalSeconds, lagSeconds, concurrency }, (progress) =>
      this.#progress.report(progress),
    );
    this.queries = threads.createQueries(database, { timeoutMs: queryTimeoutMs });
    this.#scheduler = new ChannelScheduler([], {
      concurrency,
      ...(backOff && { backOff }),
      ...(onError && { onError }),
    });
  }

  /** Opens the books, sees to the tasks of the configuration, begins to copy. */
  async open(): Promise<void> {
    const stored = await this.#engine.open();
    const ensured = await Promise.allSettled(this.#settings.tasks.map((task) => this.#ensure(task, stored)));
    this.#ended.signal.throwIfAborted();
    for (const result of ensured) if (result.status === "rejected") throw result.reason;
    // Once more: a task that asks for another copy now has taken the place of the one that was stored.
    const records = await this.#engine.open();
    this.#ended.signal.throwIfAborted();
    for (const record of this.#inOrder(records)) this.#keep(record);
    this.#scheduler.start();
    this.opened = true;
  }

  /** As the configuration has them, then the others. */
  #inOrder(records: readonly TaskRecord[]): TaskRecord[] {
    const targets = this.#settings.tasks.map((task) => foldName(targetOf(task)));
    const place = ({ targetTable }: TaskRecord): number => {
      const index = targets.indexOf(foldName(targetTable));
      return index === -1 ? targets.length : index;
    };
    return [...records].sort((left, right) => place(left) - place(right));
  }

  /** Aborts what is under way, waits for its end, and leaves no thread, file or timer behind. */
  async close(): Promise<void> {
    this.#ended.abort(stopped());
    await this.#scheduler.stop();
    const changes = [...this.#kept.values()].flatMap(({ turn, verifying }) => [turn, verifying]);
    // Beside what is still asked of the engine: its close is what bounds that.
    await Promise.allSettled([this.#engine.close(), this.queries.close(), ...changes]);
    this.#progress.close();
  }

  get ids(): string[] {
    return [...this.#kept.keys()];
  }

  /** The id of a task that is named by its id or its local table. @throws `UNKNOWN_TASK` */
  idOf(name: string): string {
    if (this.#kept.has(name)) return name;
    for (const [id, { record }] of this.#kept) if (foldName(record.targetTable) === foldName(name)) return id;
    throw unknownTask();
  }

  async record(id: string): Promise<TaskRecord> {
    const kept = this.#get(id);
    kept.record = await this.#engine.task(id);
    return kept.record;
  }

  /** The task as it was when it was last looked at: needs nobody's help. */
  lastRecord(id: string): TaskRecord {
    return this.#get(id).record;
  }

  /** `null` for a task that is paused or gone. */
  channelStatus(id: string): ChannelStatus | null {
    const name = this.#kept.get(id)?.channel.name;
    return this.#scheduler.status().find((status) => status.name === name) ?? null;
  }

  async add(definition: TableTaskDefinition): Promise<TaskRecord> {
    const record = await this.#engine.addTask(this.#withDefaults(definition), this.#ended.signal);
    if (!this.#ended.signal.aborted) this.#keep(record);
    return record;
  }

  async update(id: string, change: TaskChange): Promise<TaskRecord> {
    return await this.#inTurn(id, async (kept) => {
      try {
        kept.record = await this.#engine.updateTask(id, change);
      } catch (error) {
        // The change may be in the books all the same, where the thread died before it answered.
        kept.record = await this.#engine.task(id).catch(() => kept.record);
        await this.#reschedule(kept);
        throw error;
      }
      await this.#reschedule(kept);
      return kept.record;
    });
  }

  async remove(id: string): Promise<void> {
    await this.#inTurn(id, async (kept) => {
      await this.#unschedule(kept);
      try {
        await this.#engine.removeTask(id);
        this.#kept.delete(id);
      } catch (error) {
        await this.#reschedule(kept);
        throw error;
      }
    });
  }

  /** Runs until the copy has caught up with what the source had when this was called. */
  async run(id: string): Promise<TableRun> {
    for (;;) {
      const kept = this.#get(id);
      if ((await this.record(id)).paused) throw paused(kept.record);
      if (kept.every === null) await this.#inTurn(id, (task) => this.#reschedule(task));
      await kept.verifying;
      if (await this.#runOnce(id, kept)) break;
    }
    const run = (await this.#engine.runs(id, 10)).find(({ finishedAt, error }) => finishedAt !== null && !error);
    if (!run) throw unknownTask();
    return run;
  }

  async verify(id: string, repair: boolean, signal?: AbortSignal): Promise<VerifyResult> {
    for (let kept = this.#get(id); kept.verifying; kept = this.#get(id)) await beforeAbort(kept.verifying, signal);
    const kept = this.#get(id);
    const either = signal ? AbortSignal.any([signal, this.#ended.signal]) : this.#ended.signal;
    const verifying = this.#engine.verify(id, repair, either);
    kept.verifying = verifying
      .catch(() => {})
      .then(() => {
        kept.verifying = null;
        if (!kept.channel.passedOver || kept.every === null) return;
        kept.channel.passedOver = false;
        this.#scheduler.wake(kept.channel.name);
      });
    return await verifying;
  }

  async runs(id: string, limit: number): Promise<readonly TableRun[]> {
    this.#get(id);
    return await this.#engine.runs(id, limit);
  }

  /** @returns whether anything was tried */
  async #runOnce(id: string, kept: KeptTask): Promise<boolean> {
    kept.channel.awaited += 1;
    try {
      const { idle } = await this.#scheduler.syncNow(kept.channel.name, true);
      // The comparison that is in the way may end between two looks.
      if (idle && !kept.verifying) await new Promise((resolve) => setTimeout(resolve, 20));
      return !idle;
    } catch (error) {
      // It was paused, and may go on by now.
      const replaced = error instanceof ReplicaError && ["STOPPED", "UNKNOWN_COLLECTION"].includes(error.code);
      if (!replaced || this.#ended.signal.aborted) throw error;
      await kept.turn;
      this.#get(id);
      return false;
    } finally {
      kept.channel.awaited -= 1;
    }
  }

  async #ensure(definition: TableTaskDefinition, stored: readonly TaskRecord[]): Promise<TaskRecord> {
    try {
      return await this.#engine.ensureTask(this.#withDefaults(definition), this.#ended.signal);
    } catch (error) {
      const target = targetOf(definition);
      const known = stored.find(({ targetTable }) => foldName(targetTable) === foldName(target));
      if (!known || !(error instanceof ReplicaError) || !MAY_PASS.has(error.code)) throw error;
      guardErrorHandler(this.#settings.onError)(channelName(known.targetTable), error);
      return known;
    }
  }

  #withDefaults(definition: TableTaskDefinition): TableTaskDefinition {
    const { batchSize, numeric, sources } = this.#settings;
    const [source] = Object.keys(sources);
    const defaults = { ...(source && { source }), ...(batchSize && { batchSize }), ...(numeric && { numeric }) };
    const given = Object.entries(definition).filter(([, value]) => value !== undefined);
    return { ...defaults, ...(Object.fromEntries(given) as unknown as TableTaskDefinition) };
  }

  #keep(record: TaskRecord): void {
    const kept: KeptTask = {
      record,
      channel: new TableChannel(this.#engine, record),
      every: null,
      turn: Promise.resolve(),
      verifying: null,
    };
    this.#kept.set(record.id, kept);
    this.#schedule(kept);
  }

  /** Sees to it that the task runs as its record says. */
  async #reschedule(kept: KeptTask): Promise<void> {
    if (kept.record.paused) await this.#unschedule(kept);
    else this.#schedule(kept);
  }

  #schedule(kept: KeptTask): void {
    const { record, channel } = kept;
    if (record.paused || kept.every === record.intervalSeconds || this.#ended.signal.aborted) return;
    const schedule = {
      triggers: ["scheduled"] as const,
      intervalMs: record.intervalSeconds * 1_000,
      runTimeoutMs: this.#settings.runTimeoutMs,
    };
    if (kept.every === null) this.#scheduler.add({ channel, schedule, group: record.source });
    else this.#scheduler.reschedule(channel.name, schedule);
    kept.every = record.intervalSeconds;
  }

  async #unschedule(kept: KeptTask): Promise<void> {
    if (kept.every === null) return;
    kept.every = null;
    await this.#scheduler.remove(kept.channel.name);
  }

  /** One change of a task after the other. */
  async #inTurn<T>(id: string, change: (kept: KeptTask) => Promise<T>): Promise<T> {
    const { turn } = this.#get(id);
    const mine = turn.then(() => {
      this.#ended.signal.throwIfAborted();
      return change(this.#get(id));
    });
    this.#get(id).turn = mine.catch(() => {});
    return await mine;
  }

  #get(id: string): KeptTask {
    const kept = this.#kept.get(id);
    if (!kept) throw unknownTask();
    return kept;
  }
}

export function stopped(): ReplicaError {
  return new ReplicaError("STOPPED", "The table replication is not running", { hint: "Await start() first." });
}

function unknownTask(): ReplicaError {
  return new ReplicaError("UNKNOWN_TASK", "No task has this id or local table", {
    hint: "tasks() (GET /replication/tasks) lists the tasks there are.",
  });
}

function paused({ targetTable }: TaskRecord): ReplicaError {
  return new ReplicaError("INVALID_TASK", `The task of "${targetTable}" is paused and does not run`, {
    hint: "Set paused to false first.",
  });
}
