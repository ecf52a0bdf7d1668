import type { Duplex } from "node:stream";
import type Pg from "pg";
import { loadDriver } from "../../../drivers/load-driver.js";
import { RowStream } from "./row-stream.js";

/** By this name our connections are known at the source; transactions of this name never write. */
export const APPLICATION_NAME = "starfish-replica";

const CONNECT_TIMEOUT_MS = 10_000;

/** What a server says about itself once per connection. */
export interface ServerInfo {
  readonly version: number;
  /** Whether it keeps text as UTF-8. `SQL_ASCII` counts as such: its bytes are not converted. */
  readonly utf8: boolean;
  readonly standby: boolean;
  /** The zone that sessions without a wish of their own get. */
  readonly timeZone: string;
}

type Isolation = "READ COMMITTED" | "REPEATABLE READ";

// Set per transaction, not per session: behind a pooler a session is another one each time.
const SETTINGS = [
  `application_name = '${APPLICATION_NAME}'`,
  "client_encoding = 'UTF8'",
  "TimeZone = 'UTC'",
  "DateStyle = 'ISO, YMD'",
  "IntervalStyle = 'iso_8601'",
  "extra_float_digits = 3",
  "bytea_output = 'hex'",
  "xmloption = 'content'",
  "statement_timeout = 0",
  "lock_timeout = '60s'",
  "idle_in_transaction_session_timeout = 0",
];

/** Every value comes as PostgreSQL's text. */
const AS_TEXT: Pg.CustomTypesConfig = { getTypeParser: () => (text: string) => text };

/** One connection. Everything happens inside a transaction that cannot write. */
export class Session {
  readonly info: ServerInfo;
  /** The backend's process id; behind a pooler that of the transaction. */
  backendPid = 0;
  #broken = false;
  readonly #client: Pg.Client;

  private constructor(client: Pg.Client, info: ServerInfo) {
    this.#client = client;
    this.info = info;
    client.on("error", () => {
      this.#broken = true;
    });
    client.on("end", () => {
      this.#broken = true;
    });
  }

  /** @param signal gives up connecting at once, and leaves no socket. */
  static async connect(url: string, signal: AbortSignal): Promise<Session> {
    const pg = await loadDriver("pg");
    const client = new pg.Client({
      connectionString: url,
      application_name: APPLICATION_NAME,
      keepAlive: true,
      keepAliveInitialDelayMillis: 30_000,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      types: AS_TEXT,
    });
    const ignore = (): void => {};
    client.on("error", ignore);
    const giveUp = (): void => destroyClient(client);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      signal.throwIfAborted();
      await client.connect();
      guardParser(client);
      const { rows } = await client.query<Record<string, string>>(INFO_SQL);
      const info = rows[0] ?? {};
      return new Session(client, {
        version: Number(info.version),
        utf8: info.encoding === "UTF8" || info.encoding === "SQL_ASCII",
        standby: info.standby === "t",
        timeZone: info.zone ?? "UTC",
      });
    } catch (error) {
      void client.end().catch(ignore);
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  get broken(): boolean {
    return this.#broken;
  }

  async begin(isolation: Isolation): Promise<void> {
    const settings = [...SETTINGS];
    if (this.info.version >= 110_000) settings.push("jit = off");
    if (this.info.version >= 170_000) settings.push("transaction_timeout = 0");
    const sets = settings.map((setting) => `SET LOCAL ${setting};`).join("");
    const results: unknown = await this.#client.query(
      `BEGIN ISOLATION LEVEL ${isolation} READ ONLY;${sets}SELECT pg_catalog.pg_backend_pid() AS pid`,
    );
    const last = (results as Pg.QueryResult<{ pid: string }>[]).at(-1);
    this.backendPid = Number(last?.rows[0]?.pid);
  }

  async rollback(): Promise<void> {
    await this.#client.query("ROLLBACK");
  }

  async query(text: string, values: readonly unknown[] = []): Promise<Record<string, string | null>[]> {
    return (await this.#client.query<Record<string, string | null>>(text, [...values])).rows;
  }

  stream(text: string, values: readonly (string | null)[]): RowStream {
    return this.#client.query(new RowStream(text, values) as unknown as Pg.Submittable) as unknown as RowStream;
  }

  /** Ends it at once: what runs on it fails. */
  destroy(): void {
    this.#broken = true;
    destroyClient(this.#client);
  }

  async end(): Promise<void> {
    if (this.#broken) return;
    this.#broken = true;
    await this.#client.end().catch(() => {});
  }
}

/** Its parser throws inside the socket's event what no query would hear of: a value that is longer than any string. */
function guardParser(client: Pg.Client): void {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection;
  for (const parse of stream.listeners("data")) {
    stream.on("data", (chunk: Buffer) => {
      try {
        parse.call(stream, chunk);
      } catch (error) {
        stream.destroy(error as Error);
      }
    });
    stream.off("data", parse as () => void);
  }
}

/** Not by `end()`, which waits for a server that may say nothing any more. */
function destroyClient(client: Pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

const INFO_SQL = `SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding,
  pg_catalog.pg_is_in_recovery() AS standby,
  (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'TimeZone') AS zone`;
