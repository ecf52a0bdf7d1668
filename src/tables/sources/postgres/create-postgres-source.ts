import { ReplicaError } from "../../../errors.js";
import type { SqliteRow } from "../../../sqlite/sqlite-value.js";
import type { SourceTable } from "../source-table.js";
import type {
  DescribeOptions,
  KeyRange,
  RangeDigest,
  ReadPoint,
  ReadRequest,
  SourceBatch,
  TableSource,
} from "../table-source.js";
import { Connections } from "./connections.js";
import { describeTable } from "./describe-table.js";
import { digestSql } from "./digest-sql.js";
import { stillOpen } from "./open-transactions.js";
import { quoteName, quoteTable } from "./quote-name.js";
import { readKeys } from "./read-keys.js";
import { readPointOf } from "./read-point.js";
import { readKeyRange, readKeyset } from "./read-rows.js";
import type { Session } from "./session.js";
import { parseSourceUrl } from "./source-url.js";

export interface PostgresSourceOptions {
  /** How many reads of rows may be open at a time. One connection more serves short questions; both are made when needed. Default 3. */
  readonly streams?: number;
}

/**
 * Tables of a PostgreSQL database (12 or later). Connects on first use;
 * nothing it does can write. Needs the package `pg`.
 * @param url `postgres://user:password@host:port/database`, with the parameters that `pg` knows; for a socket of this machine
 *   `postgres://user:password@/database?host=/var/run/postgresql`.
 * @throws `INVALID_CONFIGURATION` for something else.
 */
export function createPostgresSource(url: string, { streams = 3 }: PostgresSourceOptions = {}): TableSource {
  const parsed = parseSourceUrl(url);
  if (parsed === null) {
    throw new ReplicaError("INVALID_CONFIGURATION", "The source's URL is not one of PostgreSQL", {
      hint: "Use postgres://user:password@host:5432/database; characters such as @ and / in a password must be percent-encoded.",
    });
  }
  return new PostgresSource(new Connections(parsed.connectionString, parsed.where, streams));
}

class PostgresSource implements TableSource {
  readonly kind = "postgres";
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  describe(name: string, options: DescribeOptions): Promise<SourceTable> {
    return this.#use(`describing "${name}"`, options.signal, (session) => describeTable(session, name, options));
  }

  readPoint(table: SourceTable, cursorColumn: string, lagSeconds: number, signal: AbortSignal): Promise<ReadPoint> {
    // Each statement must see what was committed before it, not before the first.
    return this.#connections.use(`looking at "${table.name}"`, { isolation: "READ COMMITTED", signal }, (session) =>
      readPointOf(session, table, cursorColumn, lagSeconds),
    );
  }

  stillOpen(transactions: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    if (transactions.length === 0) return Promise.resolve([]);
    return this.#use("looking at open transactions", signal, (session) => stillOpen(session, transactions));
  }

  read(request: ReadRequest): AsyncIterable<SourceBatch> {
    return readKeyset(this.#connections, request);
  }

  digest(table: SourceTable, range: KeyRange, signal: AbortSignal): Promise<RangeDigest> {
    return this.#use(`comparing "${table.name}"`, signal, async (session) => {
      const { text, values } = digestSql(table, range, session.info.utf8);
      const [row] = await session.query(text, values);
      return { rows: Number(row?.rows), digest: `${row?.first}:${row?.second}` };
    });
  }

  readRange(table: SourceTable, range: KeyRange, batchSize: number, signal: AbortSignal): AsyncIterable<SourceBatch> {
    return readKeyRange(this.#connections, table, range, batchSize, signal);
  }

  readKeys(table: SourceTable, keys: readonly SqliteRow[], signal: AbortSignal): Promise<readonly SqliteRow[]> {
    return this.#use(`reading "${table.name}"`, signal, (session) => readKeys(session, table, keys));
  }

  hasValues(table: SourceTable, column: string, signal: AbortSignal): Promise<boolean> {
    return this.#use(`looking at "${table.name}"`, signal, async (session) => {
      const reference = `t.${quoteName(column)}`;
      const [row] = await session.query(
        `SELECT EXISTS (SELECT 1 FROM ${quoteTable(table)} t WHERE ${reference} IS NOT NULL) AS found`,
      );
      return row?.found === "t";
    });
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  #use<T>(what: string, signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#connections.use(what, { isolation: "REPEATABLE READ", signal }, work);
  }
}
