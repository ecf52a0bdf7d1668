import { ReplicaError, toReplicaError } from "../../errors.js";
import type { QueryParameters, QueryResult } from "./query-result.js";
import type { QueryRunner } from "./query-runner.js";

export interface QueryHooks {
  /**
   * Sees a query before it runs. What it returns replaces SQL or parameters; what it throws refuses the query with `QUERY_REFUSED` and its
   * message. What it returns has to be read-only SQL too.
   */
  readonly beforeQuery?: (query: {
    readonly sql: string;
    readonly params: QueryParameters;
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing.
  }) => void | QueryChange | Promise<void | QueryChange>;
  /**
   * Told of every query that ran, as it ran. `rows`: how many it gave, `null` where it failed with `error`. What it throws becomes a process
   * warning. Nobody waits for it.
   */
  readonly afterQuery?: (report: {
    readonly sql: string;
    readonly params: QueryParameters;
    readonly durationMs: number;
    readonly rows: number | null;
    readonly error: ReplicaError | null;
  }) => unknown;
}

export interface QueryChange {
  readonly sql?: string;
  readonly params?: QueryParameters;
}

/** Runs a query between its hooks. @throws as `QueryRunner.query` does. */
export async function runQueryWithHooks(
  runner: QueryRunner,
  { beforeQuery, afterQuery }: QueryHooks,
  given: { readonly sql: string; readonly params: QueryParameters },
  signal?: AbortSignal,
): Promise<QueryResult> {
  const { sql = given.sql, params = given.params } = (await ask(beforeQuery, given)) ?? {};
  const startedAt = performance.now();
  const tell = (rows: number | null, error: ReplicaError | null): void => {
    const durationMs = performance.now() - startedAt;
    const told = new Promise((resolve) => resolve(afterQuery?.({ sql, params, durationMs, rows, error })));
    told.catch((thrown) => process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown))));
  };
  try {
    const result = await runner.query(sql, params, signal);
    tell(result.rows.length, null);
    return result;
  } catch (error) {
    tell(null, toReplicaError(error, "QUERY_FAILED", "The query was cut short"));
    throw error;
  }
}

async function ask(
  beforeQuery: QueryHooks["beforeQuery"],
  { sql, params }: { readonly sql: string; readonly params: QueryParameters },
): Promise<QueryChange | undefined> {
  try {
    // A copy: what a hook wants to change, it returns.
    const seen = Array.isArray(params) ? [...params] : { ...params };
    return (await beforeQuery?.({ sql, params: seen })) ?? undefined;
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ReplicaError("QUERY_REFUSED", reason, {
      ...(thrown instanceof ReplicaError && thrown.hint !== undefined && { hint: thrown.hint }),
      cause: thrown,
    });
  }
}
