import type { EngineOptions, ProgressHandler, TableEngine } from "./copy/table-engine.js";
import type { QueryRunner, QueryRunnerOptions } from "./query/query-runner.js";

/** How the facade gets at the thread that copies and the process that reads. Neither is started before it is asked for something. */
export interface TableThreads {
  createEngine(options: EngineOptions, onProgress: ProgressHandler): TableEngine;
  createQueries(database: string, options: QueryRunnerOptions): QueryRunner;
}
