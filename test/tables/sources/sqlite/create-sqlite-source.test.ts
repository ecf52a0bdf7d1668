import { renameSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import type { SqliteRow, SqliteValue } from "../../../../src/sqlite/sqlite-value.js";
import { RowDigest } from "../../../../src/tables/row-digest.js";
import type { SourceTable } from "../../../../src/tables/sources/source-table.js";
import { createSqliteSource } from "../../../../src/tables/sources/sqlite/create-sqlite-source.js";
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

const rowsOf = (found: readonly SourceBatch[]): SqliteRow[] => found.flatMap((batch) => [...batch.rows]);

describe("a SQLite source describes", () => {
  it("columns, affinities, the key and what can be a cursor", async () => {
    database.exec(`CREATE TABLE "Odd ""name" (id INTEGER PRIMARY KEY AUTOINCREMENT, "select" VARCHAR(80) NOT NULL UNIQUE, amount DECIMAL(10,2),
      updated_at DATETIME, data BLOB, anything, twice INT GENERATED ALWAYS AS (id * 2) VIRTUAL);
      CREATE INDEX by_time ON "Odd ""name" (updated_at);
      INSERT INTO "Odd ""name" (id, "select") VALUES (7, 'x')`);
    const table = await describeTable('Odd "name');
    expect(table).toMatchObject({
      schema: "",
      name: 'Odd "name',
      primaryKey: ["id"],
      estimatedRows: 7,
      rangesIndexed: true,
    });
    const facts = table.columns.map(({ name, targetType, mapping, order }) => [name, targetType, mapping, order]);
    expect(facts).toEqual([
      ["id", "INTEGER", "integer", "number"],
      ["select", "VARCHAR(80)", "text", "text"],
      ["amount", "DECIMAL(10,2)", "numeric", "number"],
      ["updated_at", "DATETIME", "numeric", "time"],
      ["data", "BLOB", "blob", null],
      ["anything", "", "blob", "text"],
      ["twice", "INT", "integer", "number"],
    ]);
    const flags = table.columns.map(({ nullable, unique, increasing, indexed }) => [
      nullable,
      unique,
      increasing,
      indexed,
    ]);
    expect(flags.slice(0, 4)).toEqual([
      [false, true, true, true],
      [false, true, false, true],
      [true, false, false, false],
      [true, false, false, true],
    ]);
  });

  it.each([
    ["id INTEGER PRIMARY KEY autoincrement", true],
    ["id INTEGER CONSTRAINT k PRIMARY KEY /* '*/ ON CONFLICT FAIL AUTOINCREMENT, v DEFAULT '--'", true],
    ["id INTEGER PRIMARY KEY", false],
    ["id INTEGER PRIMARY KEY -- no AUTOINCREMENT\n, v /* AUTOINCREMENT */", false],
    ["id INTEGER PRIMARY KEY, v DEFAULT 'it''s AUTOINCREMENT', \"autoincrement\", [AUTOINCREMENT b]", false],
    ["id INTEGER PRIMARY KEY, `autoincrement c`, no_autoincrement, x$autoincrement, éautoincrement", false],
  ])("ids as increasing where none comes a second time: %s", async (columns, increasing) => {
    database.exec(`CREATE TABLE t (${columns})`);
    expect((await describeTable("t")).columns[0]).toMatchObject({
      name: "id",
      unique: true,
      indexed: true,
      increasing,
    });
  });

  it("keys of several columns, WITHOUT ROWID, and views", async () => {
    database.exec(`CREATE TABLE two (b TEXT, a INT, c, PRIMARY KEY (a, b)) WITHOUT ROWID; CREATE TABLE none (a);
      CREATE VIEW seen AS SELECT a, c || '!' AS loud FROM two; CREATE TABLE folded (k TEXT COLLATE NOCASE PRIMARY KEY)`);
    expect(await describeTable("two")).toMatchObject({
      primaryKey: ["a", "b"],
      estimatedRows: null,
      rangesIndexed: true,
    });
    expect(await describeTable("none")).toMatchObject({ primaryKey: [], rangesIndexed: false });
    expect(await describeTable("seen")).toMatchObject({ primaryKey: [], columns: [{ name: "a" }, { name: "loud" }] });
    expect(await describeTable("folded")).toMatchObject({ primaryKey: ["k"], rangesIndexed: false });
  });

  it("a key called INTEGER that is no rowid as one that takes anything", async () => {
    database.exec("CREATE TABLE odd (id INTEGER PRIMARY KEY DESC); INSERT INTO odd VALUES ('text')");
    const table = await describeTable("odd");
    expect(table).toMatchObject({ primaryKey: ["id"], columns: [{ targetType: "INT", increasing: false }] });
  });

  it("a key with NULLs in it as none, and fails where one comes later", async () => {
    database.exec("CREATE TABLE t (id TEXT PRIMARY KEY, v); INSERT INTO t VALUES ('a', 1)");
    const table = await describeTable("t");
    expect(table.primaryKey).toEqual(["id"]);
    database.exec("INSERT INTO t VALUES (NULL, 2)");
    await expect(batches({ table })).rejects.toMatchObject({ code: "SOURCE_FAILED", retryable: true });
    expect((await describeTable("t")).primaryKey).toEqual([]);
  });

  it("only the columns that were asked for", async () => {
    database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)");
    expect((await describeTable("t", ["b", "id"])).columns.map(({ name }) => name)).toEqual(["id", "b"]);
    await expect(describeTable("t", ["id", "B"])).rejects.toMatchObject({ code: "INVALID_TASK", message: /"B"/ });
  });

  it("names exactly, and hints at another spelling", async () => {
    database.exec("CREATE TABLE Users (a); CREATE TABLE [main.x] (b)");
    await expect(describeTable("users")).rejects.toMatchObject({ code: "TABLE_MISSING", hint: /"Users"/ });
    expect((await describeTable("main.Users")).name).toBe("Users");
    expect((await describeTable("main.x")).name).toBe("main.x");
  });

  it("the same identity after VACUUM and ALTER TABLE, another for another file and for a table made again", async () => {
    database.pragma("journal_mode = DELETE");
    database.exec("CREATE TABLE t (a); CREATE TABLE other (a PRIMARY KEY); CREATE INDEX i ON t (a)");
    const { identity } = await describeTable("t");
    database.exec("VACUUM; ALTER TABLE t ADD COLUMN b");
    expect((await describeTable("t")).identity).toBe(identity);
    database.exec("DROP TABLE t; CREATE TABLE t (a, b)");
    const again = (await describeTable("t")).identity;
    expect(again).not.toBe(identity);
    // The first VACUUM numbers the schema anew, the next ones the same way.
    database.exec("VACUUM");
    const settled = (await describeTable("t")).identity;
    database.exec("INSERT INTO other VALUES (1), (2); VACUUM");
    expect((await describeTable("t")).identity).toBe(settled);
    database.exec(`VACUUM INTO '${join(folder, "new.db")}'`);
    renameSync(join(folder, "new.db"), path);
    expect((await describeTable("t")).identity).not.toBe(settled);
  });
});

describe("a SQLite source reads", () => {
  it("values as they are stored", async () => {
    database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, v);
      INSERT INTO t (v) VALUES (NULL), (9223372036854775807), (-5), (1.5), (2.0), (9e999), ('é' || char(0) || 'x'), (x'00ff'), ('12')`);
    const table = await describeTable("t");
    const rows = rowsOf(await batches({ table, keyset: ["id"] }));
    const values: SqliteValue[] = [
      null,
      9223372036854775807n,
      -5n,
      1.5,
      2,
      Infinity,
      "é\0x",
      Buffer.from("00ff", "hex"),
      "12",
    ];
    expect(rows.map((row) => row[1])).toEqual(values);
  });

  it("every row once, whatever the batch size, from wherever it goes on", async () => {
    database.exec("CREATE TABLE t (k TEXT COLLATE NOCASE, at, v, PRIMARY KEY (k, v))");
    const insert = database.prepare("INSERT INTO t VALUES (?, ?, ?)");
    const ats = [1, 1.5, "b", "B", "a", Buffer.from([1]), 2n ** 60n, "2026-01-01"];
    for (let n = 0; n < 1_200; n += 1) insert.run(n % 2 ? `k${n}` : `K${n}`, ats[n % ats.length], n);
    const table = await describeTable("t");
    const keyset = ["at", "k", "v"];
    const all = rowsOf(await batches({ table, keyset, batchSize: 10_000 }));
    expect(all).toHaveLength(1_200);
    for (const batchSize of [1, 7, 500, 501]) {
      const found = await batches({ table, keyset, batchSize });
      expect(found.slice(0, -1).every((batch) => batch.rows.length === batchSize)).toBe(true);
      expect(rowsOf(found)).toEqual(all);
    }
    // Broken off after every batch.
    const pieces: SqliteRow[] = [];
    let after: readonly string[] | undefined;
    for (;;) {
      const [batch] = await batches({ table, keyset, batchSize: 97, ...(after && { after }) });
      if (batch === undefined) break;
      pieces.push(...batch.rows.slice(0, 97));
      after = batch.last;
    }
    expect(pieces).toEqual(all);
  });

  it("what is above and below a bound, and what is NULL", async () => {
    database.exec(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, at INT); INSERT INTO t (at) VALUES (1), (2), (2), (3), (NULL), (NULL)",
    );
    const table = await describeTable("t");
    const ids = async (request: Partial<ReadRequest>) =>
      rowsOf(await batches({ table, keyset: ["at", "id"], ...request })).map((row) => Number(row[0]));
    expect(await ids({ above: { value: "2", inclusive: false } })).toEqual([4]);
    expect(await ids({ above: { value: "2", inclusive: true } })).toEqual([2, 3, 4]);
    expect(await ids({ below: { value: "2", inclusive: false } })).toEqual([1]);
    expect(await ids({ below: { value: "2", inclusive: true }, after: ["2", "2"] })).toEqual([3]);
    expect(await ids({ skipNulls: true })).toEqual([1, 2, 3, 4]);
    expect(await ids({})).toEqual([5, 6, 1, 2, 3, 4]);
    expect(await ids({ after: ["null", "5"] })).toEqual([6, 1, 2, 3, 4]);
    expect(await ids({ keyset: ["id"], whereNull: "at" })).toEqual([5, 6]);
    expect(await ids({ keyset: ["id"], whereNull: "at", after: ["5"] })).toEqual([6]);
  });

  it("rows with equal keysets in one batch where it is asked to, up to a limit", async () => {
    database.exec("CREATE TABLE t (at, n); CREATE TABLE big (at)");
    const insert = database.prepare("INSERT INTO t VALUES (?, ?)");
    for (let n = 0; n < 1_300; n += 1) insert.run(Math.floor(n / 650), n);
    const found = await batches({ table: await describeTable("t"), keyset: ["at"], batchSize: 10, wholeTies: true });
    expect(found.map((batch) => [batch.rows.length, batch.last])).toEqual([
      [650, ["0.0"]],
      [650, ["1.0"]],
    ]);
    database.exec(
      "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100001) INSERT INTO big SELECT 1 FROM n",
    );
    const table = await describeTable("big");
    await expect(batches({ table, keyset: ["at"], wholeTies: true })).rejects.toMatchObject({ code: "TOO_MANY_TIES" });
    await expect(batches({ table, wholeTies: true })).rejects.toMatchObject({ code: "TOO_MANY_TIES" });
  });

  it("one snapshot, while the source is written", async () => {
    database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    const insert = database.prepare("INSERT INTO t DEFAULT VALUES");
    for (let n = 0; n < 2_000; n += 1) insert.run();
    const table = await describeTable("t");
    let rows = 0;
    for await (const batch of source.read({ table, keyset: ["id"], batchSize: 100, signal })) {
      rows += batch.rows.length;
      insert.run();
    }
    expect(rows).toBe(2_000);
  });

  it("in another mode than WAL so that a writer's commit fails, not waits, until the read has ended", async () => {
    database.pragma("journal_mode = DELETE");
    database.pragma("busy_timeout = 20");
    database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i FROM n`);
    const write = () => database.exec("INSERT INTO t DEFAULT VALUES");
    const table = await describeTable("t");
    const reading = source.read({ table, keyset: ["id"], batchSize: 100, signal })[Symbol.asyncIterator]();
    for (let count = 0; count < 15; count += 1) {
      expect((await reading.next()).value.rows).toHaveLength(100);
      expect(write).toThrow(expect.objectContaining({ code: "SQLITE_BUSY" }));
    }
    await reading.return?.();
    write();
  });

  it("with an index where there is one, also for a range of keys", async () => {
    database.exec("CREATE TABLE t (a TEXT, b INT, at TEXT, PRIMARY KEY (a, b)); CREATE INDEX by_at ON t (at)");
    const { rangeSql, readSql } = await import("../../../../src/tables/sources/sqlite/read-sql.js");
    const table = await describeTable("t");
    const request = {
      table,
      keyset: ["at", "a", "b"],
      batchSize: 1,
      signal,
      after: ['"x"', '"y"', "1"],
      skipNulls: true,
    };
    for (const sql of [readSql(request), rangeSql(table, { lower: ["a", 1n], upper: ["b", 2n] })]) {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql.text}`).all(...sql.parameters);
      expect(JSON.stringify(plan)).toMatch(/SEARCH t USING INDEX (by_at|sqlite_autoindex_t_1)/);
    }
  });

  it("until its signal aborts, or the source is closed", async () => {
    database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    const insert = database.prepare("INSERT INTO t DEFAULT VALUES");
    for (let n = 0; n < 2_000; n += 1) insert.run();
    const table = await describeTable("t");
    const abort = new AbortController();
    const reason = new Error("stop");
    const cut = async () => {
      for await (const _ of source.read({ table, keyset: ["id"], batchSize: 10, signal: abort.signal }))
        abort.abort(reason);
    };
    await expect(cut()).rejects.toBe(reason);
    const closed = async () => {
      for await (const _ of source.read({ table, keyset: ["id"], batchSize: 10, signal })) await source.close();
    };
    await expect(closed()).rejects.toMatchObject({ code: "STOPPED" });
    await expect(describeTable("t")).rejects.toMatchObject({ code: "STOPPED" });
  });
});

describe("a SQLite source compares", () => {
  it("ranges of keys in BINARY order, by digest, by row and by key", async () => {
    database.exec("CREATE TABLE t (k TEXT COLLATE NOCASE, n INT, v, PRIMARY KEY (k, n))");
    const keys = ["B", "a", "C", "é", "😀", "\uffff", "b2", "Z"];
    for (const [n, key] of keys.entries())
      database.prepare("INSERT INTO t VALUES (?, ?, ?)").run(key, BigInt(n), `v${n}`);
    const table = await describeTable("t");
    const sorted = keys
      .map((key, n) => [key, BigInt(n), `v${n}`] as const)
      .sort((x, y) => Buffer.compare(Buffer.from(x[0]), Buffer.from(y[0])));
    for (let from = -1; from < sorted.length; from += 1) {
      for (let to = from + 1; to <= sorted.length; to += 1) {
        const range = { lower: sorted[from]?.slice(0, 2) ?? null, upper: sorted[to]?.slice(0, 2) ?? null };
        const expected = sorted.slice(from + 1, range.upper === null ? undefined : to + 1);
        const digest = new RowDigest();
        for (const row of expected) digest.add(row);
        expect(await source.digest(table, range, signal)).toEqual({ rows: expected.length, digest: digest.digest });
        const rows: SqliteRow[] = [];
        for await (const batch of source.readRange(table, range, 3, signal)) rows.push(...batch.rows);
        expect(rows).toEqual(expected);
      }
    }
    expect(
      await source.readKeys(
        table,
        [
          ["a", 1n],
          ["A", 1n],
          ["none", 0n],
        ],
        signal,
      ),
    ).toEqual([["a", 1n, "v1"]]);
  });

  it("whether a column has values", async () => {
    database.exec("CREATE TABLE t (a, b); INSERT INTO t VALUES (NULL, 0)");
    const table = await describeTable("t");
    expect(await source.hasValues(table, "a", signal)).toBe(false);
    expect(await source.hasValues(table, "b", signal)).toBe(true);
  });
});
