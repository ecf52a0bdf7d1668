import { describe, expect, it } from "vitest";
import type { SqliteRow } from "../../../src/sqlite/sqlite-value.js";
import { createTable, listColumns, tableExists } from "../../../src/tables/local/create-table.js";
import { LocalTable } from "../../../src/tables/local/local-table.js";
import { RowDigest } from "../../../src/tables/row-digest.js";
import { openLocal, sourceTable } from "./local-fixture.js";

const ALL = { lower: null, upper: null };
const signal = new AbortController().signal;

async function newTable(columns: Record<string, string>, primaryKey: readonly string[], name = "t") {
  const database = await openLocal();
  createTable(database, name, sourceTable(columns, primaryKey));
  return { database, table: new LocalTable(database, name, Object.keys(columns), primaryKey) };
}

async function allRows(table: LocalTable, batchSize = 1_000): Promise<SqliteRow[]> {
  const rows: SqliteRow[] = [];
  for await (const batch of table.readRange(ALL, batchSize, signal)) rows.push(...batch);
  return rows;
}

describe("createTable", () => {
  it("takes over columns, types and the key in its order, and nothing else", async () => {
    const database = await openLocal();
    createTable(database, "t", sourceTable({ b: "TEXT", a: "INTEGER", "c d": "", e: "VARCHAR(3)" }, ["a", "b"]));
    expect(listColumns(database, "t")).toEqual([
      { name: "b", type: "TEXT" },
      { name: "a", type: "INTEGER" },
      { name: "c d", type: "" },
      { name: "e", type: "VARCHAR(3)" },
    ]);
    const info = database.all<{ name: string; notnull: number; pk: number }>("PRAGMA table_info(t)");
    expect(info.map(({ notnull, pk }) => [notnull, pk])).toEqual([
      [1, 2],
      [1, 1],
      [0, 0],
      [0, 0],
    ]);
  });

  it("makes a single integer key the rowid", async () => {
    const { database, table } = await newTable({ name: "TEXT", id: "INTEGER" }, ["id"]);
    table.write([["x", 7n]]);
    expect(database.get("SELECT rowid AS id FROM t")).toEqual({ id: 7 });
    expect(database.all("PRAGMA index_list(t)")).toEqual([]);
  });

  it("finds taken names whatever their case and whatever has them", async () => {
    const database = await openLocal();
    database.exec("CREATE TABLE Users (a); CREATE VIEW v AS SELECT 1; CREATE INDEX i ON Users (a)");
    for (const name of ["users", "V", "i"]) expect(tableExists(database, name)).toBe(true);
    expect(tableExists(database, "w")).toBe(false);
  });

  it("refuses columns that are one name for SQLite, and a taken name", async () => {
    const database = await openLocal();
    expect(() => createTable(database, "t", sourceTable({ Name: "TEXT", name: "TEXT" }, []))).toThrow(
      expect.objectContaining({ code: "INVALID_TASK", message: expect.stringContaining('"Name" and "name"') }),
    );
    createTable(database, "t", sourceTable({ a: "TEXT" }, []));
    expect(() => createTable(database, "T", sourceTable({ a: "TEXT" }, []))).toThrow(
      expect.objectContaining({ code: "LOCAL_DATABASE" }),
    );
  });
});

describe("LocalTable", () => {
  it("inserts and changes rows by their key, in whole statements and the rest", async () => {
    const { table } = await newTable({ id: "INTEGER", name: "TEXT" }, ["id"]);
    const rows = (from: number, to: number, name: string): SqliteRow[] =>
      Array.from({ length: to - from }, (_, n) => [from + n, `${name} ${from + n}`]);
    expect(table.write(rows(0, 107, "old"))).toBe(107);
    expect(table.write(rows(100, 130, "new"))).toBe(30);
    expect(table.write([])).toBe(0);
    expect(table.count()).toBe(130);
    expect(table.readKeys([[99n], [100n], [500n]])).toEqual([
      [99n, "old 99"],
      [100n, "new 100"],
    ]);
  });

  it("keeps the last of several rows with one key", async () => {
    const { table } = await newTable({ id: "INTEGER", name: "TEXT" }, ["id"]);
    table.write([
      [1, "a"],
      [1, "b"],
      [1, "c"],
    ]);
    table.write(Array.from({ length: 50 }, (_, n) => [2, `${n}`]));
    expect(await allRows(table)).toEqual([
      [1n, "c"],
      [2n, "49"],
    ]);
  });

  it("takes rows that consist of their key alone", async () => {
    const { table } = await newTable({ b: "TEXT", a: "INTEGER" }, ["a", "b"]);
    expect(table.write([["x", 1]])).toBe(1);
    expect(table.write([["x", 1]])).toBe(0);
    expect(await allRows(table)).toEqual([["x", 1n]]);
  });

  it("only inserts without a primary key", async () => {
    const { table } = await newTable({ a: "INTEGER" }, []);
    expect(table.write([[1], [1]])).toBe(2);
    expect(table.write([[1]])).toBe(1);
    expect(await allRows(table, 2)).toEqual([[1n], [1n], [1n]]);
    expect(await table.digest(ALL, signal)).toMatchObject({ rows: 3 });
    expect(await table.keysEvery(ALL, 1)).toEqual([]);
    expect(() => table.deleteKeys([[1]])).toThrow(TypeError);
  });

  it("reads a table without a key whose columns have taken names of the rowid", async () => {
    const { table } = await newTable({ rowid: "TEXT", OID: "TEXT" }, []);
    table.write([
      ["z", "1"],
      ["a", "2"],
      ["m", "3"],
    ]);
    expect(await allRows(table, 1)).toEqual([
      ["z", "1"],
      ["a", "2"],
      ["m", "3"],
    ]);
  });

  it("leaves columns alone that it was not told of", async () => {
    const { database } = await newTable({ id: "INTEGER", name: "TEXT", gone: "TEXT" }, ["id"]);
    database.exec("INSERT INTO t VALUES (1, 'a', 'kept')");
    new LocalTable(database, "t", ["id", "name"], ["id"]).write([
      [1, "b"],
      [2, "c"],
    ]);
    expect(database.all("SELECT * FROM t")).toEqual([
      { id: 1, name: "b", gone: "kept" },
      { id: 2, name: "c", gone: null },
    ]);
  });

  it("keeps each kind of value what was meant", async () => {
    const { table } = await newTable({ id: "INTEGER", i: "INTEGER", r: "REAL", t: "TEXT", b: "BLOB", any: "" }, ["id"]);
    const bytes = Uint8Array.of(0, 255, 1);
    table.write([
      [1, 5, 5, "5", bytes, 5],
      [2, 9_223_372_036_854_775_807n, 5n, "a\0b", new Uint8Array(0), 5n],
      [3, -9_223_372_036_854_775_808n, Number.POSITIVE_INFINITY, "", Buffer.from("xyz").subarray(1), "5"],
      [4, null, -0, "𝄞é", null, bytes],
      [5, 9_007_199_254_740_993n, 5e-324, " 7 ", null, null],
    ]);
    expect(
      (await allRows(table)).map((row) => row.map((value) => (value instanceof Uint8Array ? [...value] : value))),
    ).toEqual([
      [1n, 5n, 5, "5", [0, 255, 1], 5],
      [2n, 9_223_372_036_854_775_807n, 5, "a\0b", [], 5n],
      [3n, -9_223_372_036_854_775_808n, Number.POSITIVE_INFINITY, "", [121, 122], "5"],
      [4n, null, 0, "𝄞é", null, [0, 255, 1]],
      [5n, 9_007_199_254_740_993n, 5e-324, " 7 ", null, null],
    ]);
  });

  it("quotes every name", async () => {
    const columns = { 'say "hi"': "INTEGER", select: "TEXT", "x; --": "TEXT", "": "TEXT", 日本: "TEXT" };
    for (const name of ['a "b" c', "table", "x'); DROP TABLE t; --", "with space", "1"]) {
      const { database, table } = await newTable(columns, ["select", 'say "hi"'], name);
      const row = [1n, "k", "b", "c", "d"];
      table.write(Array.from({ length: 21 }, () => row));
      expect(await allRows(table)).toEqual([row]);
      expect(table.readKeys([["k", 1n]])).toEqual([row]);
      expect((await table.digest({ lower: null, upper: ["k", 1n] }, signal)).rows).toBe(1);
      expect(table.deleteKeys([["k", 1n]])).toBe(1);
      expect(database.all("SELECT name FROM sqlite_schema WHERE type = 'table'")).toEqual([{ name }]);
    }
  });

  it("takes rows of 2 000 columns", async () => {
    const columns = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`c${n}`, "INTEGER"]));
    const { table } = await newTable(columns, ["c0"]);
    const row = (id: number) => Array.from({ length: 2_000 }, (_, n) => BigInt(id + n));
    expect(table.write(Array.from({ length: 40 }, (_, n) => row(n)))).toBe(40);
    expect(table.readKeys([[39n]])).toEqual([row(39)]);
  });

  it("refuses a row of another width", async () => {
    const { table } = await newTable({ id: "INTEGER", name: "TEXT" }, ["id"]);
    expect(() => table.write([[1]])).toThrow(TypeError);
    expect(() => table.write([[1, "a", "b"]])).toThrow(TypeError);
  });

  it("reads ranges in the order of the key, above the lower bound and with the upper", async () => {
    const { table } = await newTable({ value: "TEXT", a: "TEXT", b: "INTEGER" }, ["a", "b"]);
    const keys = ["", "A", "B", "a", "é", "ﬀ", "𝄞"].flatMap((a) => [-2n, 9n, 10n].map((b) => [a, b] as const));
    table.write(keys.map(([a, b]) => ["v", a, b]).reverse());
    const read = async (lower: SqliteRow | null, upper: SqliteRow | null, batchSize: number) => {
      const rows: SqliteRow[] = [];
      for await (const batch of table.readRange({ lower, upper }, batchSize, signal)) rows.push(...batch);
      return rows.map(([, a, b]) => [a, b]);
    };
    expect(await read(null, null, 4)).toEqual(keys);
    expect(await read(["A", 9n], ["a", -2n], 2)).toEqual([
      ["A", 10n],
      ["B", -2n],
      ["B", 9n],
      ["B", 10n],
      ["a", -2n],
    ]);
    expect(await read(["A", 9n], ["A", 9n], 2)).toEqual([]);
    expect((await read(["𝄞", 9n], null, 1)).length).toBe(1);
  });

  it.each([
    ["a key", ["id"]],
    ["no key", []],
  ])("ends batches of wide rows early, and none of narrow ones, with %s", async (_, primaryKey) => {
    const { table } = await newTable({ id: "INTEGER", body: "" }, primaryKey);
    const wide = (id: number) => (id % 2 === 0 ? "x".repeat(1_000_000) : Buffer.alloc(1_000_000));
    const rows: SqliteRow[] = Array.from({ length: 50 }, (_, n) => [BigInt(n), n < 25 ? wide(n) : "narrow"]);
    // What alone is larger than a batch comes all the same.
    rows.push([50n, "y".repeat(9_000_000)], [51n, "end"]);
    for (const row of rows) table.write([row]);
    const batches: number[] = [];
    const ids: unknown[] = [];
    for await (const batch of table.readRange(ALL, 500, signal)) {
      batches.push(batch.length);
      ids.push(...batch.map(([id]) => id));
    }
    expect(ids).toEqual(rows.map(([id]) => id));
    expect(batches).toEqual([9, 9, 33, 1]);
    const expected = new RowDigest();
    for (const row of rows) expected.add(row);
    expect(await table.digest(ALL, signal)).toEqual({ rows: 52, digest: expected.digest });
  });

  it("may be written to between two batches of a read", async () => {
    const { table } = await newTable({ id: "INTEGER" }, ["id"]);
    table.write(Array.from({ length: 10 }, (_, n) => [n]));
    const seen: SqliteRow[] = [];
    for await (const batch of table.readRange(ALL, 3, signal)) {
      seen.push(...batch);
      table.deleteKeys([[5]]);
    }
    expect(seen.length).toBe(9);
  });

  it("gives the thread back while it digests, and stops when it is told to", async () => {
    const { table } = await newTable({ id: "INTEGER" }, ["id"]);
    table.write(Array.from({ length: 20_000 }, (_, n) => [n]));
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 0);
    expect((await table.digest(ALL, signal)).rows).toBe(20_000);
    clearInterval(counting);
    expect(turns).toBeGreaterThan(2);
    const reason = new Error("enough");
    const controller = new AbortController();
    const digest = table.digest(ALL, controller.signal);
    controller.abort(reason);
    await expect(digest).rejects.toBe(reason);
  });

  it("digests as row-digest.ts says, in any order, and tells kinds of values apart", async () => {
    const { table } = await newTable({ id: "INTEGER", v: "" }, ["id"]);
    table.write([
      [1, 1n],
      [2, "1"],
      [3, Uint8Array.of(1)],
      [4, null],
    ]);
    const expected = new RowDigest();
    for (const row of [
      [4n, null],
      [3n, Uint8Array.of(1)],
      [2n, "1"],
      [1n, 1n],
    ] as const)
      expected.add(row);
    expect(await table.digest(ALL, signal)).toEqual({ rows: 4, digest: expected.digest });
    const before = await table.digest(ALL, signal);
    table.write([[1, 1]]);
    expect((await table.digest(ALL, signal)).digest).not.toBe(before.digest);
  });

  it("cuts a range into pieces of so many rows", async () => {
    const { table } = await newTable({ id: "INTEGER" }, ["id"]);
    table.write(Array.from({ length: 100 }, (_, n) => [n]));
    expect(await table.keysEvery(ALL, 30)).toEqual([[29n], [59n], [89n]]);
    expect(await table.keysEvery(ALL, 50)).toEqual([[49n]]);
    expect(await table.keysEvery(ALL, 100)).toEqual([]);
    expect(await table.keysEvery({ lower: [9n], upper: [20n] }, 5)).toEqual([[14n], [19n]]);
    expect(await table.keysEvery({ lower: [99n], upper: null }, 5)).toEqual([]);
  });

  it("names the unique index of the user's that refuses a row", async () => {
    const { database, table } = await newTable({ id: "INTEGER", mail: "TEXT" }, ["id"]);
    database.exec("CREATE UNIQUE INDEX one_mail ON t (mail)");
    table.write([[1, "a@x"]]);
    expect(() => table.write([[2, "a@x"]])).toThrow(
      expect.objectContaining({
        code: "LOCAL_DATABASE",
        message:
          'Writing to the local table "t": a constraint of the local table refuses a row (SQLITE_CONSTRAINT_UNIQUE: UNIQUE constraint failed: t.mail)',
        hint: expect.stringContaining("unique index"),
      }),
    );
  });
});
