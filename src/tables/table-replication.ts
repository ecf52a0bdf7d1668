import { ReplicaError } from "../errors.js";
import { Lifecycle } from "../lifecycle.js";
import { beforeAbort } from "../threads/before-abort.js";
import type { TableThreads } from "./connect-tables.js";
import type { TaskChange } from "./copy/table-engine.js";
import { changeMistakes, definitionMistakes } from "./definition-mistakes.js";
import { verifyNoMistakes } from "./field-mistake.js";
import type { QueryParameters, QueryResult } from "./query/query-result.js";
import { runQueryWithHooks } from "./query/run-query-with-hooks.js";
import { createTableRoutes } from "./routes/table-routes.js";
import type { TableRoutes, TableRoutesOptions } from "./routes/table-routes-options.js";
import type { TableControl, TableTask, TableTaskStatus } from "./table-control.js";
import { stopped, TableSession } from "./table-session.js";
import type { TableSettings } from "./table-settings.js";
import { taskStatus, taskView } from "./task-view.js";
import type { TableRun, TableTaskDefinition, VerifyResult } from "./tasks/table-task.js";
import { wholeNumberMistake } from "./value-mistakes.js";

/**
 * Tables of other databases, kept in a local SQLite file. A task is named by its id or by the name of its local table. Every method rejects
 * with `ReplicaError`s; all but `start` and `stop` with `STOPPED` while it is not running, and with `LOCAL_DATABASE` or `WORKER_FAILED`
 * where the local file or the thread that holds it fails.
 */
export class TableReplication implements TableControl {
  readonly #settings: TableSettings;
  readonly #lifecycle: Lifecycle<TableSession>;

  constructor(settings: TableSettings, threads: TableThreads) {
    this.#settings = settings;
    this.#lifecycle = new Lifecycle(() => new TableSession(settings, threads), stopped);
  }

  /**
   * Opens the local file, makes or updates the tasks of the configuration, runs every task once and then at its interval. A source that
   * cannot be reached makes its tasks `failing` and does not fail the start. Tasks that are stored but not in the configuration (any more)
   * go on. A second call does nothing.
   * @throws `LOCAL_DATABASE`, `MISSING_DRIVER`, `INVALID_TASK`, `TARGET_TAKEN`, and `UNMAPPABLE_TYPE` for a task that is new; then nothing
   * runs, and it may be called again
   */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /**
   * Aborts what is under way and waits until it has ended. Leaves no thread, timer or open file: the process may end. `start()` may follow.
   */
  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  async tasks(): Promise<TableTask[]> {
    const session = this.#lifecycle.session;
    const tasks = session.ids.map((id) => this.#view(session, id).catch(unlessRemoved));
    return (await Promise.all(tasks)).filter((task) => task !== null);
  }

  /** @throws `UNKNOWN_TASK` */
  async task(id: string): Promise<TableTask> {
    const session = this.#lifecycle.session;
    return await this.#view(session, session.idOf(id));
  }

  /**
   * Makes a task and begins to copy; resolves before the copy has caught up.
   * @throws `INVALID_TASK` naming the fields; `TARGET_TAKEN`; `TABLE_MISSING`; `UNMAPPABLE_TYPE`; `SOURCE_*`
   */
  async addTask(definition: TableTaskDefinition): Promise<TableTask> {
    const session = this.#lifecycle.session;
    const mistakes = definitionMistakes(definition, Object.keys(this.#settings.sources));
    verifyNoMistakes(mistakes, "Correct the task and add it again.");
    const record = await session.add(definition);
    return taskView(record, session.channelStatus(record.id));
  }

  /**
   * Changes what is given and leaves the rest. A task that goes on after a pause runs at once; another interval counts
   * from now, and a run under way goes on.
   * @throws `UNKNOWN_TASK`; `INVALID_TASK` naming the fields
   */
  async updateTask(id: string, change: TaskChange): Promise<TableTask> {
    const session = this.#lifecycle.session;
    verifyNoMistakes(changeMistakes(change), "Correct the change and send it again.");
    const record = await session.update(session.idOf(id), change);
    return taskView(record, session.channelStatus(record.id));
  }

  /**
   * Ends its run and forgets the task; the copied table stays. A task of the configuration is back at the next start.
   * @throws `UNKNOWN_TASK`
   */
  async removeTask(id: string): Promise<void> {
    const session = this.#lifecycle.session;
    await session.remove(session.idOf(id));
  }

  /**
   * Runs a task now and resolves with the run once the table has caught up. A run that began before this call does not count. `signal` ends
   * the waiting, not the run.
   * @throws the run's error, which is recorded; `UNKNOWN_TASK`; `INVALID_TASK` for a paused task; `STOPPED`
   */
  async runTask(id: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<TableRun> {
    const session = this.#lifecycle.session;
    signal?.throwIfAborted();
    const run = session.run(session.idOf(id));
    return await (signal ? beforeAbort(run, signal) : run);
  }

  /**
   * Compares source and copy, both in use or not. With `repair` the copy is mended. The task does not run meanwhile.
   * @throws `UNKNOWN_TASK`; `INVALID_TASK` where it cannot be compared; `SOURCE_*`; the signal's reason
   */
  async verify(
    id: string,
    { repair = false, signal }: { readonly repair?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<VerifyResult> {
    const session = this.#lifecycle.session;
    if (typeof repair !== "boolean") {
      verifyNoMistakes([{ field: "repair", what: "must be true or false" }], "Leave it out to change nothing.");
    }
    signal?.throwIfAborted();
    return await session.verify(session.idOf(id), repair, signal);
  }

  /**
   * Runs of a task, newest first, at most `limit` (default 20, at most 1 000).
   * @throws `UNKNOWN_TASK`
   */
  async runs(id: string, limit = 20): Promise<readonly TableRun[]> {
    const session = this.#lifecycle.session;
    const what = wholeNumberMistake("limit", limit);
    verifyNoMistakes(what === null ? [] : [{ field: "limit", what }], "The default is 20.");
    return await session.runs(session.idOf(id), limit);
  }

  /**
   * Read-only SQL on the local file. Sees only what was committed: never half a batch.
   * Queries run one after the other; `signal` ends one.
   * @throws `QUERY_REFUSED` for anything that is not one reading statement, or that `beforeQuery` refused; `QUERY_FAILED`; `QUERY_TIMEOUT`;
   * the signal's reason
   */
  async query(
    sql: string,
    params: QueryParameters = [],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<QueryResult> {
    return await runQueryWithHooks(this.#lifecycle.session.queries, this.#settings, { sql, params }, signal);
  }

  /** Like `tasks()`, with freshness and failures. Answers also where the local file fails, then with what was last known. */
  async status(): Promise<TableTaskStatus[]> {
    const session = this.#lifecycle.session;
    const look = async (id: string): Promise<TableTaskStatus> => {
      const record = await session.record(id).catch(() => session.lastRecord(id));
      return taskStatus(record, session.channelStatus(id));
    };
    const all = await Promise.all(session.ids.map((id) => look(id).catch(unlessRemoved)));
    return all.filter((status) => status !== null);
  }

  /**
   * A Hono app with `/replication/tasks`, `/replication/status` and `/query`, to be mounted: `app.route("/", tables.routes({ token }))`.
   * @throws ConfigurationError without a token
   */
  routes(options: TableRoutesOptions): TableRoutes {
    return createTableRoutes(this, options);
  }

  async #view(session: TableSession, id: string): Promise<TableTask> {
    return taskView(await session.record(id), session.channelStatus(id));
  }
}

function unlessRemoved(error: unknown): null {
  if (error instanceof ReplicaError && error.code === "UNKNOWN_TASK") return null;
  throw error;
}
