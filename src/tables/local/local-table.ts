import { setImmediate } from "node:timers/promises";
import { quoteIdentifier } from "../../sqlite/identifier.js";
import { mapSqliteError } from "../../sqlite/map-sqlite-error.js";
import { rowBytes, type SqliteRow, type SqliteValue } from "../../sqlite/sqlite-value.js";
import { RowDigest } from "../row-digest.js";
import type { KeyRange, RangeDigest } from "../sources/table-source.js";
import { keyRangeSql } from "./key-range-sql.js";
import type { LocalDatabase, LocalStatement } from "./local-database.js";
import { upsertSql } from "./upsert-sql.js";

const ROWS_PER_STATEMENT = 20;
const MAX_VARIABLES = 32_766;
const ROWS_PER_TURN = 2_000;
/** A page of wide rows ends early, so that memory stays bounded. */
const PAGE_BYTES = 8 * 1024 * 1024;
/** Steps over an index are cheaper than rows that are read and hashed. */
const KEYS_PER_TURN = 20_000;

/**
 * Rows of one local table: `columns` in their order, which may be fewer than the table has. Integers come out as `bigint`. Nothing here
 * begins a transaction; the caller does. Methods throw `LOCAL_DATABASE`.
 */
export class LocalTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primaryKey: readonly string[];
  readonly #database: LocalDatabase;
  readonly #table: string;
  readonly #columnList: string;
  readonly #keyIndexes: readonly number[];
  readonly #rowsPerStatement: number;
  readonly #flat: SqliteValue[] = [];

  /** @param primaryKey in key order; its columns are among `columns`. Empty: the table has none. */
  constructor(database: LocalDatabase, name: string, columns: readonly string[], primaryKey: readonly string[]) {
    this.#database = database;
    this.name = name;
    this.columns = columns;
    this.primaryKey = primaryKey;
    this.#table = quoteIdentifier(name);
    this.#columnList = columns.map(quoteIdentifier).join(", ");
    this.#keyIndexes = primaryKey.map((column) => columns.indexOf(column));
    if (this.#keyIndexes.includes(-1)) throw new TypeError(`The primary key of "${name}" is not among its columns`);
    this.#rowsPerStatement = Math.max(1, Math.min(ROWS_PER_STATEMENT, Math.floor(MAX_VARIABLES / columns.length)));
  }

  /**
   * Inserts rows, or changes those whose key exists; only inserts where there is no primary key. Of rows with the same key the last one stays.
   * @returns rows inserted or changed; a row that consists of its key alone and exists is not counted.
   */
  write(rows: readonly SqliteRow[]): number {
    return this.#mapped("Writing to", () => {
      let changed = 0;
      let next = 0;
      for (const size of [this.#rowsPerStatement, 1]) {
        if (rows.length - next < size) continue;
        const statement = this.#database.prepare(upsertSql(this.name, this.columns, this.primaryKey, size));
        for (; rows.length - next >= size; next += size) changed += this.#writeSome(statement, rows, next, size);
      }
      return changed;
    });
  }

  /** Deletes the rows with these keys, as many as exist. */
  deleteKeys(keys: readonly SqliteRow[]): number {
    return this.#mapped("Deleting from", () => {
      const statement = this.#database.prepare(`DELETE FROM ${this.#table} WHERE ${this.#keyEquals()}`);
      let deleted = 0;
      for (const key of keys) deleted += statement.run(key).changes;
      return deleted;
    });
  }

  count(): number {
    return this.#mapped("Reading", () => {
      const statement = this.#database.prepare<{ n: number }>(`SELECT count(*) AS n FROM ${this.#table}`);
      return statement.get()?.n ?? 0;
    });
  }

  /** The rows with these keys that exist, in the order of the keys. */
  readKeys(keys: readonly SqliteRow[]): readonly SqliteRow[] {
    return this.#mapped("Reading", () => {
      const statement = this.#database.prepareRows(
        `SELECT ${this.#columnList} FROM ${this.#table} WHERE ${this.#keyEquals()}`,
      );
      const rows: SqliteRow[] = [];
      for (const key of keys) {
        const row = statement.get(key);
        if (row !== undefined) rows.push(row);
      }
      return rows;
    });
  }

  /** The key of a row of {@link columns}. */
  keyOf(row: SqliteRow): SqliteRow {
    return this.#keyIndexes.map((index) => row[index] as SqliteValue);
  }

  /**
   * Rows of the range in the order of their keys (BINARY), or in any order without a primary key, where only the range without bounds
   * exists. Batches of `batchSize` rows, of wide ones fewer: each ends at 8 MiB, a row more at most. Each is read when it is asked for, and
   * nothing stays open between: the caller may write meanwhile, and sees it in the batches to come.
   */
  async *readRange(
    range: KeyRange,
    batchSize: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly SqliteRow[], void, undefined> {
    signal.throwIfAborted();
    for (let page = this.#firstPage(range, batchSize); page.rows.length > 0; page = page.next()) {
      yield page.rows;
      if (page.isLast) return;
      await setImmediate();
      signal.throwIfAborted();
    }
  }

  /** Digest of the range's rows (`row-digest.ts`). Gives the thread back every few milliseconds. */
  async digest(range: KeyRange, signal: AbortSignal): Promise<RangeDigest> {
    const digest = new RowDigest();
    for await (const rows of this.readRange(range, ROWS_PER_TURN, signal)) {
      for (const row of rows) digest.add(row);
    }
    return { rows: digest.rows, digest: digest.digest };
  }

  /**
   * Keys inside the range, in order, that cut it into pieces of `rows` rows each (the last may have fewer): each is the upper bound of one
   * piece and the lower one of the next. Empty where one piece is enough, and without a primary key.
   */
  async keysEvery(range: KeyRange, rows: number, signal?: AbortSignal): Promise<readonly SqliteRow[]> {
    if (this.primaryKey.length === 0) return [];
    const keys: SqliteRow[] = [];
    let lower = range.lower;
    let stepped = 0;
    let left = rows;
    for (;;) {
      const step = Math.min(left, KEYS_PER_TURN);
      const key = this.#keyAfter({ lower, upper: range.upper }, step);
      if (key === undefined) return keys;
      lower = key;
      left -= step;
      if (left === 0) {
        // A cut behind the last row would make an empty piece.
        if (this.#keyAfter({ lower, upper: range.upper }, 1) === undefined) return keys;
        keys.push(key);
        left = rows;
      }
      stepped += step;
      if (stepped >= KEYS_PER_TURN) {
        stepped = 0;
        await setImmediate();
        signal?.throwIfAborted();
      }
    }
  }

  #keyAfter(range: KeyRange, rows: number): SqliteRow | undefined {
    const { where, params } = keyRangeSql(this.primaryKey, range);
    const key = this.primaryKey.map(quoteIdentifier).join(", ");
    const sql = `SELECT ${key} FROM ${this.#table} WHERE ${where} ORDER BY ${key} LIMIT 1 OFFSET ?`;
    return this.#mapped("Reading", () => this.#database.prepareRows(sql).get(...params, rows - 1));
  }

  #firstPage(range: KeyRange, size: number): Page {
    if (this.primaryKey.length === 0) {
      if (range.lower !== null || range.upper !== null) throw new TypeError(`"${this.name}" has no key for a range`);
      return this.#rowidPage(null, size);
    }
    return this.#keyPage(range, size);
  }

  #keyPage(range: KeyRange, size: number): Page {
    const { where, params } = keyRangeSql(this.primaryKey, range);
    const key = this.primaryKey.map(quoteIdentifier).join(", ");
    const sql = `SELECT ${this.#columnList} FROM ${this.#table} WHERE ${where} ORDER BY ${key} LIMIT ?`;
    const { rows, isLast } = this.#readPage(sql, params, size);
    const last = rows.at(-1);
    return {
      rows,
      isLast,
      next: () => this.#keyPage({ lower: last === undefined ? null : this.keyOf(last), upper: range.upper }, size),
    };
  }

  /** By `rowid`, under the one of its three names that no column has taken. */
  #rowidPage(after: SqliteValue, size: number): Page {
    const taken = this.#database.all<{ name: string }>(
      "SELECT lower(name) AS name FROM pragma_table_info(?)",
      this.name,
    );
    const rowid = ["rowid", "_rowid_", "oid"].find((name) => taken.every((column) => column.name !== name)) ?? "rowid";
    const where = after === null ? "TRUE" : `${rowid} > ?`;
    const sql = `SELECT ${this.#columnList}, ${rowid} FROM ${this.#table} WHERE ${where} ORDER BY ${rowid} LIMIT ?`;
    const found = this.#readPage(sql, after === null ? [] : [after], size);
    const last = found.rows.at(-1)?.at(-1) ?? null;
    const rows = found.rows.map((row) => row.slice(0, -1));
    return { rows, isLast: found.isLast, next: () => this.#rowidPage(last, size) };
  }

  /** @param sql its last parameter is the limit. */
  #readPage(sql: string, params: readonly SqliteValue[], size: number): Pick<Page, "rows" | "isLast"> {
    return this.#mapped("Reading", () => {
      const rows: SqliteRow[] = [];
      let bytes = 0;
      for (const row of this.#database.prepareRows(sql).iterate(...params, size)) {
        rows.push(row);
        bytes += rowBytes(row);
        if (bytes >= PAGE_BYTES) break;
      }
      return { rows, isLast: rows.length < size && bytes < PAGE_BYTES };
    });
  }

  #keyEquals(): string {
    if (this.primaryKey.length === 0) throw new TypeError(`"${this.name}" has no primary key`);
    return this.primaryKey.map((column) => `${quoteIdentifier(column)} = ?`).join(" AND ");
  }

  #writeSome(statement: LocalStatement, rows: readonly SqliteRow[], from: number, count: number): number {
    const flat = this.#flat;
    const width = this.columns.length;
    flat.length = count * width;
    let place = 0;
    for (let index = from; index < from + count; index += 1) {
      const row = rows[index] as SqliteRow;
      if (row.length !== width) throw new TypeError(`A row for "${this.name}" has ${row.length} values, not ${width}`);
      for (let column = 0; column < width; column += 1) flat[place++] = row[column] as SqliteValue;
    }
    return statement.run(flat).changes;
  }

  #mapped<T>(doing: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw mapSqliteError(error, `${doing} the local table "${this.name}"`);
    }
  }
}

interface Page {
  readonly rows: readonly SqliteRow[];
  /** Nothing comes after it. A short page may be one of wide rows. */
  readonly isLast: boolean;
  next(): Page;
}
