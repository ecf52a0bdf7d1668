import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { SourceTable } from "../../../../src/tables/sources/source-table.js";
import { createSqliteSource } from "../../../../src/tables/sources/sqlite/create-sqlite-source.js";
import { readPosition, writePosition } from "../../../../src/tables/sources/sqlite/position-text.js";
import type { ReadRequest, SourceBatch, TableSource } from "../../../../src/tables/sources/table-source.js";
import { atEnd } from "../../../support/at-end.js";
import { tempDir } from "../../../support/temp-dir.js";

const signal = new AbortController().signal;
let folder: string;
let path: string;
let database: Database.Database;
let source: TableSource;

beforeEach(() => {
  folder = tempDir();
  path = join(folder, "source.db");
  database = new Database(path);
  database.pragma("journal_mode = WAL");
  atEnd(() => database.close());
  source = createSqliteSource(path);
  atEnd(() => source.close());
});

const describeTable = (name: string, columns?: readonly string[]): Promise<SourceTable> =>
  source.describe(name, { numeric: "real", signal, ...(columns && { columns }) });

async function batches(request: Partial<ReadRequest> & { table: SourceTable }): Promise<SourceBatch[]> {
  const found: SourceBatch[] = [];
  for await (const batch of source.read({ keyset: [], batchSize: 100, signal, ...request })) found.push(batch);
  return found;
}

describe("a SQLite source's read point", () => {
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();
  const point = async (type: string, values: readonly unknown[]) => {
    database.exec(`DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, at ${type})`);
    for (const value of values) database.prepare("INSERT INTO t (at) VALUES (?)").run(value);
    return source.readPoint(await describeTable("t"), "at", 5, signal);
  };

  it("is nothing without rows, and counts NULLs", async () => {
    expect(await point("TEXT", [])).toEqual({ ceiling: null, openTransactions: [], nullCursorRows: 0 });
    expect(await point("TEXT", [null, null])).toEqual({ ceiling: null, openTransactions: [], nullCursorRows: 2 });
    expect(await source.stillOpen(["x"], signal)).toEqual([]);
  });

  it("is the largest of numbers and texts, which may still come again unless they are unique", async () => {
    expect((await point("INT", [1n, 3n, 2n])).ceiling).toEqual({ value: "3", inclusive: false });
    expect((await point("INT UNIQUE", [1n, 3n, 2n])).ceiling).toEqual({ value: "3", inclusive: true });
    expect((await point("TEXT", ["a", "B"])).ceiling).toEqual({ value: '"a"', inclusive: false });
    expect(await source.readPoint(await describeTable("t"), "id", 5, signal)).toMatchObject({
      ceiling: { value: "2", inclusive: true },
    });
  });

  it("is the largest time that is older than the lag", async () => {
    const [old, older, young] = [ago(60), ago(120), ago(1)];
    for (const type of ["TEXT", "DATETIME"]) {
      expect((await point(type, [older, old])).ceiling).toEqual({ value: JSON.stringify(old), inclusive: true });
      expect((await point(type, [older, old, young, ago(-60)])).ceiling).toEqual({
        value: JSON.stringify(old),
        inclusive: true,
      });
      expect((await point(type, [young])).ceiling).toEqual({ value: JSON.stringify(young), inclusive: false });
    }
  });

  it("knows times in seconds and milliseconds where the type says time", async () => {
    const now = Math.floor(Date.now() / 1_000);
    expect((await point("TIMESTAMP", [BigInt(now - 60), BigInt(now)])).ceiling).toEqual({
      value: String(now - 60),
      inclusive: true,
    });
    expect((await point("DATETIME", [BigInt(now - 60) * 1_000n, BigInt(now) * 1_000n])).ceiling).toEqual({
      value: `${now - 60}000`,
      inclusive: true,
    });
  });

  it("does not take a day for over before it is, everywhere", async () => {
    const today = ago(0).slice(0, 10);
    const past = ago(7 * 86_400).slice(0, 10);
    expect((await point("DATE", [past, today])).ceiling).toEqual({ value: JSON.stringify(past), inclusive: true });
    expect((await point("DATE", [today])).ceiling).toEqual({ value: JSON.stringify(today), inclusive: false });
  });
});

describe("a position", () => {
  it("keeps every value", () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double({ noNaN: true }).map((number) => (number === 0 ? 0 : number)),
      fc.string({ unit: "binary" }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(value, (given) => {
        expect(readPosition(writePosition(given))).toEqual(given);
      }),
    );
  });
});

describe("a SQLite source that cannot be read", () => {
  it("says that there is no file, and works as soon as there is one", async () => {
    const late = createSqliteSource(join(folder, "late", "x.db"));
    atEnd(() => late.close());
    const look = () => late.describe("t", { numeric: "real", signal });
    await expect(look()).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    mkdirSync(join(folder, "late"));
    new Database(join(folder, "late", "x.db")).exec("CREATE TABLE t (a)").close();
    await expect(look()).resolves.toMatchObject({ name: "t" });
    rmSync(join(folder, "late"), { recursive: true });
    await expect(look()).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
  });

  it("says that it is no database, or a folder", async () => {
    writeFileSync(join(folder, "text"), "no database ".repeat(1_000));
    for (const [name, code] of [
      ["text", "SOURCE_FAILED"],
      [".", "SOURCE_FAILED"],
    ] as const) {
      const other = createSqliteSource(join(folder, name));
      atEnd(() => other.close());
      await expect(other.describe("t", { numeric: "real", signal })).rejects.toMatchObject({ code });
    }
  });

  it("says that another program has locked it, and recovers", async () => {
    database.exec("CREATE TABLE t (a)");
    database.pragma("journal_mode = DELETE");
    database.exec("BEGIN EXCLUSIVE");
    await expect(describeTable("t")).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    database.exec("COMMIT");
    await expect(describeTable("t")).resolves.toMatchObject({ name: "t" });
  });

  it("reads what a program that was killed has committed", async () => {
    database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    const copy = join(folder, "killed.db");
    for (const end of ["", "-wal"]) copyFileSync(path + end, copy + end);
    const killed = createSqliteSource(copy);
    atEnd(() => killed.close());
    const table = await killed.describe("t", { numeric: "real", signal });
    expect(await killed.hasValues(table, "a", signal)).toBe(true);
  });

  it("says which table is gone, and that one was altered", async () => {
    database.exec("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2)");
    const table = await describeTable("t");
    database.exec("ALTER TABLE t RENAME COLUMN b TO c");
    // SQLite takes an unknown name in double quotes for a text, unless it is compiled not to.
    await expect(batches({ table, keyset: ["b"] })).rejects.toMatchObject({ code: "SOURCE_FAILED", retryable: true });
    database.exec("DROP TABLE t");
    await expect(batches({ table })).rejects.toMatchObject({ code: "TABLE_MISSING" });
  });

  it.skipIf(process.getuid?.() === 0)("says what rights are missing", async () => {
    database.exec("CREATE TABLE t (a)");
    chmodSync(path, 0o000);
    await expect(describeTable("t")).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
  });

  it("refuses a database in memory", () => {
    expect(() => createSqliteSource(":memory:")).toThrowError(
      expect.objectContaining({ code: "INVALID_CONFIGURATION" }),
    );
  });
});
