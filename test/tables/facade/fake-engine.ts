import { randomUUID } from "node:crypto";
import { ReplicaError, toReplicaError } from "../../../src/errors.js";
import type { SyncReason } from "../../../src/scheduler/sync-context.js";
import type { TableThreads } from "../../../src/tables/connect-tables.js";
import type {
  EngineOptions,
  ProgressHandler,
  TableEngine,
  UnitOutcome,
} from "../../../src/tables/copy/table-engine.js";
import { createQueryRunner } from "../../../src/tables/query/query-runner.js";
import { TableReplication } from "../../../src/tables/table-replication.js";
import type { TableReplicationOptions } from "../../../src/tables/table-replication-options.js";
import { parseTableSettings } from "../../../src/tables/table-settings.js";
import type { TableRun, TableTaskDefinition, TaskRecord } from "../../../src/tables/tasks/table-task.js";
import { atEnd } from "../../support/at-end.js";

interface Unit {
  readonly task: TaskRecord;
  readonly reason: SyncReason;
  readonly signal: AbortSignal;
  /** 0 for the first unit ever. */
  readonly n: number;
}

/** What the test makes the engine do; each of them may throw. */
interface Script {
  open?: () => unknown;
  add?: (definition: TableTaskDefinition) => unknown;
  ensure?: (definition: TableTaskDefinition) => unknown;
  /** Default: one row, caught up. */
  advance?: (unit: Unit) => Promise<Partial<UnitOutcome>> | Partial<UnitOutcome>;
  verify?: (repair: boolean, signal: AbortSignal) => unknown;
  remove?: () => unknown;
  task?: () => unknown;
}

/** An engine in memory. What it keeps outlives `close`, as a file would. */
export class FakeTables {
  readonly script: Script = {};
  readonly units: Unit[] = [];
  readonly definitions: TableTaskDefinition[] = [];
  readonly engines: { readonly options: EngineOptions; progress: ProgressHandler; closed: boolean }[] = [];
  readonly #records = new Map<string, TaskRecord>();
  readonly #runs = new Map<string, TableRun[]>();
  readonly #begun = new Map<string, string>();

  readonly threads: TableThreads = {
    createEngine: (options, progress) => {
      const engine = { options, progress, closed: false };
      this.engines.push(engine);
      return this.#engine(engine);
    },
    createQueries: createQueryRunner,
  };

  /** A replication over this engine. It is stopped when the test ends. */
  replication(options: Partial<TableReplicationOptions> = {}): TableReplication {
    const settings = {
      database: "/nowhere/replica.db",
      sources: { main: "postgres://u:pw@127.0.0.1:9/db" },
      ...options,
    };
    const tables = new TableReplication(parseTableSettings(settings), this.threads);
    atEnd(() => tables.stop());
    return tables;
  }

  record(id: string): TaskRecord {
    const record = this.#records.get(id);
    if (!record) throw new ReplicaError("UNKNOWN_TASK", "No task has this id");
    const runs = this.#runs.get(id) ?? [];
    const lastSuccessAt = runs.find(({ finishedAt, error }) => finishedAt !== null && !error)?.startedAt ?? null;
    return { ...record, lastRun: runs[0] ?? null, lastSuccessAt };
  }

  #engine(state: { closed: boolean; readonly options: EngineOptions }): TableEngine {
    const kept = (definition: TableTaskDefinition, id: string): TaskRecord => {
      this.definitions.push(definition);
      const { sourceTable, targetTable = sourceTable.split(".").at(-1) ?? "" } = definition;
      const record: TaskRecord = {
        source: Object.keys(state.options.sources)[0] ?? "",
        columns: null,
        cursorColumn: "id",
        mode: "append",
        intervalSeconds: state.options.intervalSeconds,
        batchSize: 5_000,
        deletes: null,
        numeric: "real",
        paused: this.#records.get(id)?.paused ?? false,
        cursor: null,
        lastRun: null,
        lastSuccessAt: null,
        ...definition,
        targetTable,
        id,
      };
      this.#records.set(id, record);
      return this.record(id);
    };
    const sameTarget = (target: string): TaskRecord | undefined =>
      [...this.#records.values()].find((record) => record.targetTable.toLowerCase() === target.toLowerCase());
    const check = (): void => {
      if (state.closed) throw new ReplicaError("STOPPED", "the engine is closed");
    };
    return {
      open: async () => {
        await this.script.open?.();
        return [...this.#records.keys()].map((id) => this.record(id));
      },
      addTask: async (definition) => {
        check();
        await this.script.add?.(definition);
        const target = definition.targetTable ?? definition.sourceTable;
        if (sameTarget(target)) throw new ReplicaError("TARGET_TAKEN", `A task already fills "${target}"`);
        return kept(definition, randomUUID());
      },
      ensureTask: async (definition) => {
        check();
        await this.script.ensure?.(definition);
        const target = definition.targetTable ?? definition.sourceTable;
        return kept(definition, sameTarget(target)?.id ?? randomUUID());
      },
      updateTask: async (id, change) => {
        check();
        this.#records.set(id, { ...this.record(id), ...change });
        return this.record(id);
      },
      removeTask: async (id) => {
        check();
        await this.script.remove?.();
        this.#records.delete(id);
      },
      advance: async (id, reason, signal) => {
        check();
        const unit = { task: this.record(id), reason, signal, n: this.units.length };
        this.units.push(unit);
        const startedAt = this.#begun.get(id) ?? new Date().toISOString();
        this.#begun.set(id, startedAt);
        let outcome: UnitOutcome = { changed: true, rowsPulled: 1, rowsDeleted: 0, bytes: 10, more: false };
        let error: TableRun["error"] = null;
        try {
          outcome = { ...outcome, ...(await this.script.advance?.(unit)) };
          return outcome;
        } catch (thrown) {
          const { code, message } = toReplicaError(thrown, "SOURCE_FAILED", "failed");
          error = { code, message };
          throw thrown;
        } finally {
          if (error !== null || !(outcome.more || outcome.busy)) {
            this.#begun.delete(id);
            const run: TableRun = {
              taskId: id,
              startedAt,
              finishedAt: new Date().toISOString(),
              rowsPulled: outcome.rowsPulled,
              rowsDeleted: 0,
              bytes: outcome.bytes,
              cursor: "1",
              lossyValues: 0,
              nullCursorRows: 0,
              droppedColumns: [],
              notes: [],
              error,
            };
            this.#runs.set(id, [run, ...(this.#runs.get(id) ?? [])]);
          }
        }
      },
      verify: async (id, repair, signal) => {
        check();
        this.record(id);
        await this.script.verify?.(repair, signal);
        return { equal: !repair, missing: 0, extra: 0, different: repair ? 1 : 0, repaired: repair ? 1 : 0 };
      },
      task: async (id) => {
        check();
        await this.script.task?.();
        return this.record(id);
      },
      runs: async (id, limit) => (this.#runs.get(id) ?? []).slice(0, limit),
      close: async () => {
        state.closed = true;
      },
    };
  }
}
