import type Database from "better-sqlite3";

const MAX_STATEMENTS = 200;

/** Statements of one dump on its connection: rows as arrays, integers as `bigint`, text as its bytes. */
export class SnapshotReader {
  readonly utf16: boolean;
  readonly sqliteVersion: string;
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  constructor(database: Database.Database) {
    this.#database = database;
    this.utf16 = this.value("PRAGMA main.encoding") !== "UTF-8";
    this.sqliteVersion = this.value("SELECT sqlite_version()") as string;
  }

  row(sql: string, parameters: readonly unknown[] = []): unknown[] | undefined {
    return this.#prepare(sql).get(...parameters) as unknown[] | undefined;
  }

  rows(sql: string, parameters: readonly unknown[] = []): unknown[][] {
    return this.#prepare(sql).all(...parameters) as unknown[][];
  }

  /** Row by row. Ends with the loop over it. */
  iterate(sql: string): IterableIterator<unknown[]> {
    // One of its own: a statement that is being read cannot be used again.
    return this.#database.prepare(sql).raw(true).safeIntegers(true).iterate() as IterableIterator<unknown[]>;
  }

  value(sql: string, parameters: readonly unknown[] = []): unknown {
    return this.row(sql, parameters)?.[0];
  }

  /** SQL for a text that comes out through {@link buffer} as UTF-8, whatever bytes are in it. */
  bytes(expression: string): string {
    // In UTF-16 the bytes would be UTF-16; the driver makes a string of it, which is exact for what we build ourselves.
    return this.utf16 ? expression : `CAST(${expression} AS BLOB)`;
  }

  buffer(value: unknown): Buffer {
    if (Buffer.isBuffer(value)) return value;
    return Buffer.from(value === null || value === undefined ? "" : String(value));
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      // A database of very many tables has very many statements.
      if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
      statement = this.#database.prepare(sql).raw(true).safeIntegers(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
