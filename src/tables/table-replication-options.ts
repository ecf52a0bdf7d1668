import type { ReplicaError } from "../errors.js";
import type { BackOffOptions } from "../scheduler/delays.js";
import type { TableProgress } from "./copy/table-engine.js";
import type { QueryHooks } from "./query/run-query-with-hooks.js";
import type { TableTaskDefinition } from "./tasks/table-task.js";

/** What `createTableReplication` takes. */
export interface TableReplicationOptions extends QueryHooks {
  /** Path of the local SQLite file; it and its folder are made where there are none. */
  readonly database: string;
  /** Where tables are copied from, by name: `postgres://user:password@host/database`, `postgresql://...` or `sqlite:PATH`. */
  readonly sources?: Readonly<Record<string, string>>;
  /** Short form of `sources` for a single one, which is then called `main`. */
  readonly source?: string;
  /** Short form of `tasks`: names of tables, everything else by default. */
  readonly tables?: readonly string[];
  /** What to copy. A task with a target that is stored already wins over the stored one. */
  readonly tasks?: readonly TableTaskDefinition[];
  /** Seconds from the end of one run to the start of the next, for tasks that give none. Default 300. */
  readonly syncIntervalSeconds?: number;
  /** Rows per local transaction, for tasks that give none. Default 5 000. */
  readonly batchSize?: number;
  /** How decimals are kept, for tasks that do not say. Default `real`. */
  readonly numeric?: "real" | "text";
  /** How many seconds younger than the source's clock a time must be before a cursor passes it. Default 5. */
  readonly lagSeconds?: number;
  /** Runs under way at once, per source. Default 4. */
  readonly concurrency?: number;
  /** Deadline of one bounded unit of work in milliseconds; a run is as many units as it takes. Default 600 000. */
  readonly runTimeoutMs?: number;
  /** Deadline of one local query in milliseconds. Default 30 000. */
  readonly queryTimeoutMs?: number;
  /** Told of every failed run that nobody awaits; `name` is `table:` and the target. Default: errors show in `status()` alone. */
  readonly onError?: (name: string, error: ReplicaError) => void;
  /** Told how far long copies are, at most every 250 ms per task. */
  readonly onProgress?: (progress: TableProgress) => void;
  /** Pauses after failures. Default: from 1 s, doubling up to 60 s, with full jitter. */
  readonly backOff?: BackOffOptions;
}
