import { setMaxListeners } from "node:events";
import { resolve as toAbsolute } from "node:path";
import { ReplicaError, toReplicaError } from "../../errors.js";
import type { SqliteRow } from "../../sqlite/sqlite-value.js";
import { beforeAbort } from "../../threads/before-abort.js";
import { findOwnProgram } from "../../threads/own-program.js";
import { type ProcessLink, startProcess } from "../../threads/start-process.js";
import { checkQuery } from "./check-query.js";
import type { QueryParameters, QueryResult } from "./query-result.js";

const CANNOT_START = "The process that runs queries cannot be started";

export interface QueryRunnerOptions {
  /** How long one query may take, not counting the wait for those before it. Default 30 000. */
  readonly timeoutMs?: number;
  /** Default 100 000. */
  readonly maxRows?: number;
  /** About how many bytes of values one answer may have. Default 256 MiB. */
  readonly maxBytes?: number;
  /** The file that the process runs. Default: `#query-worker` of the package. */
  readonly entry?: string;
}

export interface QueryRunner {
  /**
   * Runs one read-only statement on the last state that was committed.
   * @throws `QUERY_REFUSED`, `QUERY_FAILED`, `QUERY_TIMEOUT`, `LOCAL_DATABASE`, `MISSING_DRIVER`, `STOPPED`, `WORKER_FAILED`, or the signal's reason.
   */
  query(sql: string, parameters?: QueryParameters, signal?: AbortSignal): Promise<QueryResult>;
  /** What is under way and what waits rejects with `STOPPED`. Leaves no handle. */
  close(): Promise<void>;
}

/**
 * Reads a local SQLite file, one query at a time in the order they came, in a process of its own: a query past its deadline is ended with
 * its process, and the next one gets another. The process starts with the first query and ends with this one.
 */
export function createQueryRunner(database: string, options: QueryRunnerOptions = {}): QueryRunner {
  const { timeoutMs = 30_000, maxRows = 100_000, maxBytes = 256 * 1024 * 1024, entry } = options;
  const path = toAbsolute(database);
  const closing = new AbortController();
  // One listener for each query that waits.
  setMaxListeners(0, closing.signal);
  let current: ProcessLink | undefined;
  let rows: SqliteRow[] = [];
  let turn: Promise<unknown> = Promise.resolve();

  const start = (): ProcessLink => {
    const started = startProcess(entry ?? findOwnProgram("#query-worker", CANNOT_START), [path], {
      what: "The process that runs queries",
      afterEnd: "The next query starts another; where the system was short of memory, ask for fewer rows.",
      onEvent(value) {
        for (const row of value as SqliteRow[]) rows.push(row);
      },
      onEnd() {
        if (current === started) current = undefined;
      },
    });
    return started;
  };

  const startOne = (): ProcessLink => {
    try {
      return start();
    } catch (error) {
      throw toReplicaError(error, "WORKER_FAILED", CANNOT_START);
    }
  };

  const kill = async (error: ReplicaError): Promise<void> => {
    const ending = current;
    current = undefined;
    await ending?.kill(error);
  };

  const run = async (sql: string, parameters: QueryParameters, signal: AbortSignal): Promise<QueryResult> => {
    signal.throwIfAborted();
    current ??= startOne();
    const { link } = current;
    rows = [];
    await beforeAbort(link.call("open", []), signal);
    const abort = () => void kill(signal.reason);
    const deadline = setTimeout(() => void kill(timedOut(timeoutMs)), timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    try {
      const columns = (await link.call("query", [sql, parameters, { maxRows, maxBytes }])) as readonly string[];
      return { columns, rows };
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener("abort", abort);
      rows = [];
    }
  };

  return {
    async query(sql, parameters = [], signal) {
      closing.signal.throwIfAborted();
      checkQuery(sql);
      const ended = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]);
      const mine = turn.then(() => run(sql, parameters, ended));
      turn = mine.catch(() => {});
      return beforeAbort(mine, ended);
    },
    async close() {
      const stopped = new ReplicaError("STOPPED", "The table replication was stopped.");
      closing.abort(stopped);
      await kill(stopped);
    },
  };
}

/** In a bundle there is no package around this module any more whose `#query-worker` could be looked up. */
function timedOut(timeoutMs: number): ReplicaError {
  return new ReplicaError("QUERY_TIMEOUT", `The query took longer than ${timeoutMs} ms and was ended.`, {
    hint: "Add LIMIT or an index to the local table, or raise the timeout; a WITH RECURSIVE needs an end.",
  });
}
