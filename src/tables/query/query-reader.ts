import { type Stats, statSync } from "node:fs";
import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";
import { isSqliteError, mapSqliteError } from "../../sqlite/map-sqlite-error.js";
import type { SqliteRow, SqliteValue } from "../../sqlite/sqlite-value.js";
import { bindParameters } from "./bind-parameters.js";
import { checkQuery, checkStatement } from "./check-query.js";
import type { QueryParameters } from "./query-result.js";

/** What one query may bring. */
export interface QueryLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** Rows that are handed on at a time. */
const ROWS_PER_BATCH = 1_000;

/** Runs queries on one SQLite file, each in a read transaction of its own. It never opens the file for writing. */
export class QueryReader {
  readonly #driver: typeof Database;
  readonly #path: string;
  #database: Database.Database | undefined;
  #file: Stats | undefined;

  constructor(driver: typeof Database, path: string) {
    this.#driver = driver;
    this.#path = path;
  }

  /**
   * Hands the rows to `onRows` in batches and returns the names of the columns.
   * @throws `QUERY_REFUSED`, `QUERY_FAILED`; `LOCAL_DATABASE` where the file is missing or damaged.
   */
  read(
    sql: string,
    parameters: QueryParameters,
    limits: QueryLimits,
    onRows: (rows: readonly SqliteRow[]) => void,
  ): readonly string[] {
    const scanned = checkQuery(sql);
    const bound = bindParameters(scanned.parameters, parameters);
    const database = this.#open();
    try {
      const statement = database.prepare(sql);
      checkStatement(statement);
      statement.safeIntegers(true).raw(true);
      let rows: SqliteRow[] = [];
      let count = 0;
      let bytes = 0;
      for (const row of statement.iterate(...bound) as IterableIterator<SqliteValue[]>) {
        count += 1;
        bytes += toPlain(row);
        if (count > limits.maxRows) throw tooMany(`more than ${limits.maxRows} rows`);
        if (bytes > limits.maxBytes) throw tooMany(`more than ${limits.maxBytes} bytes`);
        rows.push(row);
        if (rows.length === ROWS_PER_BATCH) {
          onRows(rows);
          rows = [];
        }
      }
      if (rows.length > 0) onRows(rows);
      return statement.columns().map((column) => column.name);
    } catch (error) {
      throw mapQueryError(error, database);
    }
  }

  /** The connection, made anew where the file is another one than before. */
  #open(): Database.Database {
    const file = statSync(this.#path, { throwIfNoEntry: false });
    if (file === undefined) {
      throw new ReplicaError("LOCAL_DATABASE", `There is no database ${this.#path} yet: nothing has been copied.`, {
        hint: "Wait for the first run of a task, or start the replication.",
        retryable: true,
      });
    }
    if (this.#database !== undefined && file.ino === this.#file?.ino && file.dev === this.#file.dev)
      return this.#database;
    this.#database?.close();
    this.#database = undefined;
    try {
      const database = new this.#driver(this.#path, { readonly: true, fileMustExist: true });
      database.pragma("query_only = 1");
      this.#database = database;
      this.#file = file;
      return database;
    } catch (error) {
      throw mapSqliteError(error, `Opening the local database ${this.#path}`);
    }
  }
}

/** Makes integers that a `number` can hold one, in place, and returns about how many bytes the row has. */
function toPlain(row: SqliteValue[]): number {
  let bytes = 0;
  for (let index = 0; index < row.length; index += 1) {
    const value = row[index];
    if (typeof value === "bigint") {
      if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) row[index] = Number(value);
    } else if (typeof value === "string") {
      bytes += value.length;
    } else if (value instanceof Uint8Array) {
      bytes += value.byteLength;
      // Not as a Buffer, which is what the driver gives.
      row[index] = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    }
    bytes += 8;
  }
  return bytes;
}

function tooMany(what: string): ReplicaError {
  return new ReplicaError("QUERY_FAILED", `The query gives ${what}.`, {
    hint: "Add LIMIT, or ask for fewer columns, and read the rest by key: WHERE id > (the last one) ORDER BY id LIMIT n.",
  });
}

const DAMAGE = /^SQLITE_(CORRUPT|NOTADB|IOERR|CANTOPEN|BUSY|LOCKED|PROTOCOL)/;

function mapQueryError(error: unknown, database: Database.Database): unknown {
  if (error instanceof ReplicaError) return error;
  if (!isSqliteError(error)) {
    const reason = error instanceof Error ? error.message : String(error);
    return new ReplicaError("QUERY_FAILED", reason, { cause: error });
  }
  if (DAMAGE.test(error.code)) return mapSqliteError(error, "Reading the local database");
  const refused =
    error.code.startsWith("SQLITE_READONLY") || error.code === "SQLITE_AUTH" || error.message === "not authorized";
  const missing = error.message.startsWith("no such table");
  return new ReplicaError(refused ? "QUERY_REFUSED" : "QUERY_FAILED", error.message, {
    ...(missing && { hint: describeTables(database) }),
    cause: error,
  });
}

function describeTables(database: Database.Database): string {
  try {
    const sql =
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' LIMIT 21";
    const names = database.prepare(sql).pluck().all() as string[];
    if (names.length === 0) return "Nothing has been copied yet.";
    return `There are: ${names.slice(0, 20).join(", ")}${names.length > 20 ? ", ..." : ""}.`;
  } catch {
    return "Look at sqlite_schema for the tables there are.";
  }
}
