import type { TableThreads } from "./connect-tables.js";
import { createQueryRunner } from "./query/query-runner.js";
import { TableReplication } from "./table-replication.js";
import type { TableReplicationOptions } from "./table-replication-options.js";
import { parseTableSettings } from "./table-settings.js";
import { createWorkerEngine } from "./worker/engine-client.js";

const THREADS: TableThreads = {
  createEngine: createWorkerEngine,
  createQueries: createQueryRunner,
};

/**
 * Keeps tables of PostgreSQL and SQLite databases in a local SQLite file. Nothing is opened and no driver loaded before `start()`.
 * @throws ConfigurationError with every mistake at once
 */
export function createTableReplication(options: TableReplicationOptions): TableReplication {
  return new TableReplication(parseTableSettings(options), THREADS);
}
