import { ReplicaError } from "../../errors.js";
import type { TableSource } from "../sources/table-source.js";

/** Streams beside those of the runs: a comparison reads a range, and what it catches up with meanwhile. */
const COMPARING_STREAMS = 2;

/**
 * The source that a URL names. Connects on first use; its driver is loaded now.
 * @param runs how many runs may each have a stream of rows open. One comparison may go on beside them.
 * @throws `INVALID_CONFIGURATION`, `MISSING_DRIVER`.
 */
export async function openSource(name: string, url: string, runs: number): Promise<TableSource> {
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { createPostgresSource } = await import("../sources/postgres/create-postgres-source.js");
    return createPostgresSource(url, { streams: runs + COMPARING_STREAMS });
  }
  if (url.startsWith("sqlite:")) {
    const { createSqliteSource } = await import("../sources/sqlite/create-sqlite-source.js");
    return createSqliteSource(url.slice("sqlite:".length));
  }
  throw new ReplicaError("INVALID_CONFIGURATION", `sources.${name}: not a database that tables can be copied from`, {
    hint: "use postgres://user:password@host/database or sqlite:PATH",
  });
}
