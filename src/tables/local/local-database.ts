import { resolve } from "node:path";
import type Database from "better-sqlite3";
import { loadDriver } from "../../drivers/load-driver.js";
import { ReplicaError } from "../../errors.js";
import { mapSqliteError } from "../../sqlite/map-sqlite-error.js";
import type { SqliteRow, SqliteValue } from "../../sqlite/sqlite-value.js";
import { prepareFile } from "./open-file.js";

export interface LocalDatabaseOptions {
  /** How long a write waits for another program's. It blocks the thread. Default 5 000. */
  readonly busyTimeoutMs?: number;
}

/** A prepared statement. Its errors are SQLite's own: `transaction` maps them, others wrap it in `mapSqliteError`. */
export type LocalStatement<Row = unknown> = Database.Statement<unknown[], Row>;

const MAX_CACHED_STATEMENTS = 256;
// Measured with random keys, where each checkpoint writes most of an index again: 40 % more rows a second than 4 000 pages and a cache of 16 MB.
const WAL_PAGES = 16_000;
const CACHE_KIB = 32_000;
const WAL_BYTES_KEPT = 64 * 1024 * 1024;

/**
 * The one writable connection to the local SQLite file.
 *
 * WAL, so that readers in other connections see the last commit, whole, and never wait; `synchronous = NORMAL`: a process that is killed
 * loses nothing that was committed, a power cut may lose the last transactions, but whole ones, so that rows and the cursor that was
 * written with them stay together and the next run copies what was lost again.
 */
export class LocalDatabase {
  /** Absolute. */
  readonly path: string;
  readonly #driver: Database.Database;
  readonly #statements = new Map<string, LocalStatement>();

  private constructor(path: string, driver: Database.Database) {
    this.path = path;
    this.#driver = driver;
  }

  /**
   * Opens or makes the file, and its folder where that is missing.
   * @throws `LOCAL_DATABASE` for what is no SQLite database, a folder, or cannot be written to; `MISSING_DRIVER`.
   */
  static async open(path: string, options: LocalDatabaseOptions = {}): Promise<LocalDatabase> {
    const { busyTimeoutMs = 5_000 } = options;
    const file = resolve(path);
    const Driver = await loadDriver("better-sqlite3");
    await prepareFile(file);
    let driver: Database.Database | undefined;
    try {
      driver = new Driver(file, { timeout: busyTimeoutMs });
      configure(driver, file);
      return new LocalDatabase(file, driver);
    } catch (error) {
      driver?.close();
      throw mapSqliteError(error, `The local database ${file} cannot be opened`);
    }
  }

  get inTransaction(): boolean {
    return this.#driver.inTransaction;
  }

  /**
   * Runs `work` in a write transaction: committed when it returns, rolled back when it throws, which this rethrows (errors of SQLite as
   * `LOCAL_DATABASE`). Waits up to `busyTimeoutMs` for another program's write.
   * @throws `TypeError` inside another transaction, and where `work` gives a promise.
   */
  transaction<T>(work: () => T): T {
    if (this.#driver.inTransaction) throw new TypeError("A transaction is under way already");
    try {
      this.prepare("BEGIN IMMEDIATE").run();
      const result = work();
      if (isThenable(result)) throw new TypeError("A transaction cannot wait for a promise");
      this.prepare("COMMIT").run();
      return result;
    } catch (error) {
      // After a full disk or a failed one SQLite has rolled back itself.
      if (this.#driver.inTransaction) this.prepare("ROLLBACK").run();
      throw this.#map(error);
    }
  }

  /** Rows as objects, integers as `number`: for the books. Kept for the next call with the same SQL. */
  prepare<Row = unknown>(sql: string): LocalStatement<Row> {
    return this.#cached(`o${sql}`, () => this.#driver.prepare(sql)) as LocalStatement<Row>;
  }

  /** Rows as arrays, integers as `bigint`: for user data. Kept for the next call with the same SQL. */
  prepareRows(sql: string): LocalStatement<SqliteRow> {
    return this.#cached(`r${sql}`, () => {
      const statement = this.#driver.prepare(sql);
      return statement.reader ? statement.raw(true).safeIntegers(true) : statement;
    }) as LocalStatement<SqliteRow>;
  }

  /** Runs one statement and gives the number of rows that it changed. */
  run(sql: string, ...params: readonly SqliteValue[]): number {
    return this.#mapped(() => this.prepare(sql).run(...params).changes);
  }

  get<Row>(sql: string, ...params: readonly SqliteValue[]): Row | undefined {
    return this.#mapped(() => this.prepare<Row>(sql).get(...params));
  }

  all<Row>(sql: string, ...params: readonly SqliteValue[]): Row[] {
    return this.#mapped(() => this.prepare<Row>(sql).all(...params));
  }

  /** Runs any number of statements without parameters. */
  exec(sql: string): void {
    this.#mapped(() => this.#driver.exec(sql));
  }

  /** Gives the file back; a second call does nothing. */
  close(): void {
    this.#statements.clear();
    if (this.#driver.open) this.#mapped(() => this.#driver.close());
  }

  /** SQLite prepares a statement again by itself when the schema has changed, so none is ever stale. */
  #cached(key: string, prepare: () => LocalStatement): LocalStatement {
    let statement = this.#statements.get(key);
    if (statement === undefined) {
      statement = prepare();
      if (this.#statements.size >= MAX_CACHED_STATEMENTS) {
        for (const oldest of this.#statements.keys()) {
          this.#statements.delete(oldest);
          break;
        }
      }
    } else this.#statements.delete(key);
    this.#statements.set(key, statement);
    return statement;
  }

  #mapped<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#map(error);
    }
  }

  #map(error: unknown): unknown {
    return mapSqliteError(error, `The local database ${this.path}`);
  }
}

function configure(driver: Database.Database, path: string): void {
  const mode = driver.pragma("journal_mode = WAL", { simple: true });
  if (mode !== "wal") {
    throw new ReplicaError("LOCAL_DATABASE", `The local database ${path} cannot use a write-ahead log (WAL)`, {
      hint: "Put it on a local disk: network file systems lack what WAL needs.",
    });
  }
  driver.pragma("synchronous = NORMAL");
  // The source has checked them, and rows arrive in the order of the cursor, not of their references.
  driver.pragma("foreign_keys = OFF");
  driver.pragma("cell_size_check = ON");
  // A view or trigger that somebody put into the file gets no function that could harm.
  driver.pragma("trusted_schema = OFF");
  driver.pragma(`cache_size = -${CACHE_KIB}`);
  driver.pragma(`wal_autocheckpoint = ${WAL_PAGES}`);
  driver.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`);
}

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
