import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import type { ReplicaError } from "../../../src/errors.js";
import { createTableReplication } from "../../../src/tables/create-table-replication.js";
import type { TableTaskStatus } from "../../../src/tables/table-control.js";
import type { TableReplication } from "../../../src/tables/table-replication.js";
import type { TableReplicationOptions } from "../../../src/tables/table-replication-options.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";

/** A replication in this process, and what its users see of it. */
export interface KeptTables {
  readonly tables: TableReplication;
  readonly file: string;
  /** What `onError` was told. */
  readonly errors: readonly (readonly [name: string, error: ReplicaError])[];
  status(target: string): Promise<TableTaskStatus>;
  /** Waits until a task is `failing` with this code and resolves with its message, which the history has too. */
  failing(target: string, code: string): Promise<string>;
  /** Waits until a run that began after this call has succeeded. */
  caughtUp(target: string, timeoutMs?: number): Promise<void>;
  /** Rows of a table in the local file; 0 where there is none yet. */
  count(target: string): number;
  /** All rows of all runs. */
  pulled(target: string): number;
}

/** Starts one that tries again soon after a failure, and stops it when the test ends. */
export async function keepTables(options: Partial<TableReplicationOptions>): Promise<KeptTables> {
  const file = options.database ?? join(tempDir(), "replica.db");
  const errors: [string, ReplicaError][] = [];
  const tables = createTableReplication({
    database: file,
    syncIntervalSeconds: 1,
    backOff: { baseMs: 50, capMs: 300 },
    onError: (name, error) => void errors.push([name, error]),
    ...options,
  });
  atEnd(() => tables.stop());
  await tables.start();
  const look = (sql: string, target: string): number => {
    const database = new Database(file, { readonly: true });
    try {
      const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(target);
      return known ? Number(database.prepare(sql).pluck().get()) : 0;
    } finally {
      database.close();
    }
  };
  const status = async (target: string): Promise<TableTaskStatus> => {
    const found = (await tables.status()).find(({ targetTable }) => targetTable === target);
    if (!found) throw new Error(`There is no task ${target}`);
    return found;
  };
  return {
    tables,
    file,
    errors,
    status,
    async failing(target, code) {
      const failed = await waitFor(
        async () => {
          const { state, lastError } = await status(target);
          return state === "failing" && lastError?.code === code ? lastError : null;
        },
        { timeoutMs: 15_000, what: `${target} failing with ${code}; ${JSON.stringify(errors)}` },
      );
      expect(failed.message).not.toBe("");
      const runs = await tables.runs(target, 20);
      const recorded = runs.find(({ error }) => error?.code === code);
      return recorded?.error?.message ?? failed.message;
    },
    async caughtUp(target, timeoutMs = 15_000) {
      const since = Date.now();
      await waitFor(
        async () => {
          const { state, lastSuccessAt } = await status(target);
          return state !== "failing" && lastSuccessAt !== null && Date.parse(lastSuccessAt) >= since;
        },
        { timeoutMs, what: `${target} to catch up; ${errors.map(([name, { message }]) => `${name}: ${message}`)}` },
      );
    },
    count: (target) => look(`SELECT count(*) FROM "${target}"`, target),
    pulled: (target) =>
      look(
        `SELECT coalesce(sum(rows_pulled), 0) FROM replication_runs WHERE task_id = (SELECT id FROM replication_tasks WHERE target_table = '${target}')`,
        "replication_runs",
      ),
  };
}
