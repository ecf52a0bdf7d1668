import { describe, expect, it } from "vitest";
import type { SqliteRow } from "../../../src/sqlite/sqlite-value.js";
import { RowDigest } from "../../../src/tables/row-digest.js";
import type { SourceTable } from "../../../src/tables/sources/source-table.js";
import type { KeyRange, ReadRequest, SourceBatch, TableSource } from "../../../src/tables/sources/table-source.js";

/** An empty database and a source over it, both given back when the test ends. */
export interface SourceFixture {
  readonly source: TableSource;
  /** Runs statements that PostgreSQL and SQLite both know, separated by `;`. */
  run(sql: string): Promise<void>;
  /** The database's own type for bytes: `bytea`, `BLOB`. */
  readonly blobType: string;
  /** A literal of that type. */
  blob(hex: string): string;
}

/** Makes an empty database. Called once per test. */
export type SourceFactory = () => Promise<SourceFixture>;

const signal = new AbortController().signal;
const ALL: KeyRange = { lower: null, upper: null };

/** `count` rows with `i` from 1. */
const numbers = (count: number) => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

async function collect(batches: AsyncIterable<SourceBatch>): Promise<SqliteRow[]> {
  const rows: SqliteRow[] = [];
  for await (const batch of batches) rows.push(...batch.rows);
  return rows;
}

const look = (source: TableSource, name: string, columns?: readonly string[]) =>
  source.describe(name, { numeric: "real", signal, ...(columns === undefined ? {} : { columns }) });

type Wishes = Partial<Omit<ReadRequest, "table">>;

const read = (source: TableSource, table: SourceTable, wishes: Wishes = {}) =>
  source.read({ table, keyset: [], batchSize: 500, signal, ...wishes });

async function expectEqualDigest(source: TableSource, table: SourceTable, range: KeyRange): Promise<SqliteRow[]> {
  const rows = await collect(source.readRange(table, range, 97, signal));
  const digest = new RowDigest();
  for (const row of rows) digest.add(row);
  expect(await source.digest(table, range, signal)).toEqual({ rows: rows.length, digest: digest.digest });
  return rows;
}

/** What every {@link TableSource} promises. Called by each source's test file with real databases behind it. */
export function registerTableSourceTests(name: string, open: SourceFactory): void {
  describe(`TableSource: ${name}`, () => {
    describe("describe", () => {
      it("tells columns, key, nullability and what can be a cursor", async () => {
        const { source, run } = await open();
        await run(`CREATE TABLE items (a TEXT NOT NULL, id BIGINT NOT NULL, b TEXT NOT NULL, score DOUBLE PRECISION, PRIMARY KEY (b, id));
          CREATE UNIQUE INDEX by_a ON items (a); CREATE INDEX by_score ON items (score, b)`);
        const table = await look(source, "items");
        expect(table.columns.map((column) => column.name)).toEqual(["a", "id", "b", "score"]);
        expect(table.primaryKey).toEqual(["b", "id"]);
        const [a, id, b, score] = table.columns;
        expect(a).toMatchObject({ nullable: false, unique: true, indexed: true, order: "text" });
        expect(id).toMatchObject({ nullable: false, unique: false, indexed: false, order: "number" });
        expect(b).toMatchObject({ nullable: false, unique: false, indexed: true });
        expect(score).toMatchObject({ nullable: true, unique: false, indexed: true, order: "number" });
        expect(JSON.parse(JSON.stringify(table))).toEqual(table);
      });

      it("gives another identity to a table that was made again", async () => {
        const { source, run } = await open();
        await run("CREATE TABLE t (id INTEGER PRIMARY KEY)");
        const first = await look(source, "t");
        expect((await look(source, "t")).identity).toBe(first.identity);
        await run("DROP TABLE t; CREATE TABLE other (a INTEGER); CREATE TABLE t (id INTEGER PRIMARY KEY)");
        expect((await look(source, "t")).identity).not.toBe(first.identity);
      });

      it("leaves out what was not asked for, in the source's order", async () => {
        const { source, run } = await open();
        await run("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT); INSERT INTO t VALUES (1, 'x', 'y')");
        const table = await look(source, "t", ["b", "id"]);
        expect(table.columns.map((column) => column.name)).toEqual(["id", "b"]);
        expect(await collect(read(source, table))).toEqual([[1, "y"]]);
      });

      it("says which table is missing, and which column", async () => {
        const { source, run } = await open();
        await run("CREATE TABLE t (id INTEGER PRIMARY KEY)");
        await expect(look(source, "nothing")).rejects.toMatchObject({
          code: "TABLE_MISSING",
          message: expect.stringContaining("nothing"),
        });
        await expect(look(source, "t", ["id", "nope"])).rejects.toMatchObject({
          code: "INVALID_TASK",
          message: expect.stringContaining("nope"),
        });
      });

      it("knows a table that has no key", async () => {
        const { source, run } = await open();
        await run("CREATE TABLE t (a TEXT, b TEXT); INSERT INTO t VALUES ('x', NULL), ('x', NULL)");
        const table = await look(source, "t");
        expect(table).toMatchObject({ primaryKey: [], rangesIndexed: false });
        expect(await collect(read(source, table))).toEqual([
          ["x", null],
          ["x", null],
        ]);
      });
    });

    it.each([
      'with "quotes"',
      "with spaces ",
      "Capitals",
      "select",
      "dotted.name",
      "it's; DROP TABLE t; --",
      "ünïcödé ☃",
    ])("takes the name %j for tables and columns", async (odd) => {
      const { source, run } = await open();
      const quoted = `"${odd.replaceAll('"', '""')}"`;
      await run(`CREATE TABLE ${quoted} (${quoted} INTEGER PRIMARY KEY, v TEXT)`);
      await run(`INSERT INTO ${quoted} VALUES (1, 'a'), (2, NULL)`);
      const table = await look(source, odd);
      expect(table.name).toBe(odd);
      expect(table.primaryKey).toEqual([odd]);
      const first = { keyset: [odd], after: ["1"] };
      expect(await collect(read(source, table, first))).toEqual([[2, null]]);
      expect(await expectEqualDigest(source, table, ALL)).toEqual([
        [1n, "a"],
        [2n, null],
      ]);
      expect(await source.readKeys(table, [[2n]], signal)).toEqual([[2n, null]]);
      expect(await source.hasValues(table, odd, signal)).toBe(true);
      expect((await source.readPoint(table, odd, 0, signal)).ceiling).toEqual({ value: "2", inclusive: true });
    });

    describe("read", () => {
      it("goes on after any row, when 10,000 rows share one cursor value", async () => {
        const { source, run } = await open();
        await run(
          `CREATE TABLE t (id INTEGER PRIMARY KEY, at BIGINT); ${numbers(10_000)} INSERT INTO t SELECT i, 7 FROM n`,
        );
        const table = await look(source, "t");
        const ids: unknown[] = [];
        let after: readonly string[] | undefined;
        for (;;) {
          const batches = read(source, table, { keyset: ["at", "id"], ...(after === undefined ? {} : { after }) });
          let batch: SourceBatch | undefined;
          for await (const first of batches) {
            batch = first;
            break;
          }
          if (batch === undefined) break;
          expect(batch.rows.length).toBe(500);
          ids.push(...batch.rows.map((row) => row[0]));
          after = batch.last;
        }
        expect(ids).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
      });

      it("keeps to its bounds, and leaves NULL out where there are any", async () => {
        const { source, run } = await open();
        await run(`CREATE TABLE t (id INTEGER PRIMARY KEY, c BIGINT);
          INSERT INTO t VALUES (1, 10), (2, 20), (3, 20), (4, 30), (5, NULL), (6, NULL)`);
        const table = await look(source, "t");
        const ids = async (wishes: Wishes) =>
          (await collect(read(source, table, { keyset: ["c", "id"], ...wishes }))).map((row) => row[0]);
        const at = (value: string, inclusive: boolean) => ({ value, inclusive });
        expect(await ids({ skipNulls: true })).toEqual([1, 2, 3, 4]);
        expect(new Set(await ids({}))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
        expect(await ids({ above: at("20", true) })).toEqual([2, 3, 4]);
        expect(await ids({ above: at("20", false) })).toEqual([4]);
        expect(await ids({ below: at("20", true) })).toEqual([1, 2, 3]);
        expect(await ids({ below: at("20", false) })).toEqual([1]);
        expect(await ids({ after: ["20", "2"], below: at("30", false) })).toEqual([3]);
        expect(await ids({ above: at("10", false), below: at("20", true), after: ["20", "2"] })).toEqual([3]);
        expect(await ids({ keyset: ["id"], whereNull: "c" })).toEqual([5, 6]);
        expect(await ids({ keyset: ["id"], whereNull: "c", after: ["5"] })).toEqual([6]);
      });

      it("ends no batch between equal keysets when ties are to stay whole", async () => {
        const { source, run } = await open();
        await run(`CREATE TABLE t (c BIGINT, v INTEGER); ${numbers(1_000)} INSERT INTO t SELECT i / 100, i FROM n`);
        const table = await look(source, "t");
        const seen = new Set<unknown>();
        let rows = 0;
        for await (const batch of read(source, table, { keyset: ["c"], batchSize: 30, wholeTies: true })) {
          const values = new Set(batch.rows.map((row) => row[0]));
          for (const value of values) expect(seen.has(value)).toBe(false);
          for (const value of values) seen.add(value);
          rows += batch.rows.length;
          expect(batch.last).toEqual([String(batch.rows.at(-1)?.[0])]);
        }
        expect(rows).toBe(1_000);
        const sizes: number[] = [];
        for await (const batch of read(source, table, { batchSize: 30, wholeTies: true }))
          sizes.push(batch.rows.length);
        expect(sizes).toEqual([1_000]);
      });

      it("keeps 64-bit integers, bytes, long texts and doubles exactly", async () => {
        const { source, run, blobType, blob } = await open();
        await run(`CREATE TABLE t (id BIGINT PRIMARY KEY, f DOUBLE PRECISION, b ${blobType}, s TEXT)`);
        await run(`INSERT INTO t VALUES (9223372036854775807, 0.1, ${blob("00ff")}, 'ü☃😀'),
          (-9223372036854775807 - 1, -1e300, ${blob("")}, ''), (9007199254740993, NULL, NULL, NULL)`);
        const table = await look(source, "t");
        expect(await expectEqualDigest(source, table, ALL)).toEqual([
          [-9223372036854775808n, -1e300, Buffer.alloc(0), ""],
          [9007199254740993n, null, null, null],
          [9223372036854775807n, 0.1, Buffer.from("00ff", "hex"), "ü☃😀"],
        ]);
        const first = await collect(read(source, table, { keyset: ["id"], after: ["9007199254740993"] }));
        expect(first).toEqual([[9223372036854775807n, 0.1, Buffer.from("00ff", "hex"), "ü☃😀"]]);
      });

      it("ends with the signal's reason in the middle, and leaves the source usable", async () => {
        const { source, run } = await open();
        await run(`CREATE TABLE t (id INTEGER PRIMARY KEY); ${numbers(20_000)} INSERT INTO t SELECT i FROM n`);
        const table = await look(source, "t");
        for (let round = 0; round < 5; round += 1) {
          const abort = new AbortController();
          const reason = new Error("enough");
          const reading = (async () => {
            for await (const batch of read(source, table, { keyset: ["id"], batchSize: 10, signal: abort.signal })) {
              expect(batch.rows.length).toBe(10);
              abort.abort(reason);
            }
          })();
          await expect(reading).rejects.toBe(reason);
        }
        const late = AbortSignal.abort(new Error("never"));
        await expect(collect(read(source, table, { signal: late }))).rejects.toBe(late.reason);
        await expect(source.digest(table, ALL, late)).rejects.toBe(late.reason);
        expect((await source.digest(table, ALL, signal)).rows).toBe(20_000);
      });

      it("ends a batch of wide rows by its bytes, but never inside ties that are wanted whole", async () => {
        const { source, run } = await open();
        const wide = `'${"w".repeat(100_000)}'`;
        await run(`CREATE TABLE t (id INTEGER PRIMARY KEY, c INTEGER, v TEXT);
          ${numbers(200)} INSERT INTO t SELECT i, CASE WHEN i <= 120 THEN 1 ELSE 2 END, ${wide} FROM n`);
        const table = await look(source, "t");
        const most = 8 * 1024 * 1024 + 2 * 100_000;
        for (const batches of [
          read(source, table, { keyset: ["id"], batchSize: 1_000 }),
          source.readRange(table, ALL, 1_000, signal),
        ]) {
          const ids: number[] = [];
          let count = 0;
          for await (const { rows, bytes } of batches) {
            const width = rows.reduce((sum, row) => sum + (row[2] as string).length, 0);
            expect(width).toBeLessThan(most);
            expect(bytes).toBeGreaterThanOrEqual(width);
            ids.push(...rows.map((row) => Number(row[0])));
            count += 1;
          }
          expect(ids).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
          expect(count).toBeLessThanOrEqual(4);
        }
        const sizes: number[] = [];
        const whole = { keyset: ["c"], batchSize: 1_000, wholeTies: true };
        for await (const { rows } of read(source, table, whole)) sizes.push(rows.length);
        expect(sizes).toEqual([120, 80]);
      });

      it("says that a table has gone since it was described", async () => {
        const { source, run } = await open();
        await run("CREATE TABLE t (id INTEGER PRIMARY KEY)");
        const table = await look(source, "t");
        await run("DROP TABLE t");
        await expect(collect(read(source, table))).rejects.toMatchObject({ code: "TABLE_MISSING" });
        await expect(source.digest(table, ALL, signal)).rejects.toMatchObject({ code: "TABLE_MISSING" });
      });
    });

    describe("key ranges", () => {
      it("gives rows in SQLite's order, and any cut of them whole, with equal digests", async () => {
        const { source, run } = await open();
        await run(`CREATE TABLE t (k TEXT NOT NULL, n BIGINT NOT NULL, v DOUBLE PRECISION, PRIMARY KEY (k, n))`);
        const words = ["a", "B", "b", "A", "ä", "Z", "z", "_", "-", "é", "e", "10", "9", "😀", "￿", ""];
        const rows = words.flatMap((word, index) => [-1, 2, 10].map((n) => `('${word}', ${n}, ${index}.5)`));
        await run(`INSERT INTO t VALUES ${rows.join(", ")}`);
        const table = await look(source, "t");
        const all = await expectEqualDigest(source, table, ALL);
        const keys = all.map((row) => [row[0] as string, row[1] as bigint] as const);
        const sorted = [...keys].sort(
          (a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])) || Number(a[1] - b[1]),
        );
        expect(keys).toEqual(sorted);
        for (const [low, high] of [
          [0, 5],
          [5, 20],
          [20, 47],
          [3, 3],
        ] as const) {
          const part = await expectEqualDigest(source, table, {
            lower: keys[low] as SqliteRow,
            upper: keys[high] as SqliteRow,
          });
          expect(part).toEqual(all.slice(low + 1, high + 1));
        }
        const between: KeyRange = { lower: ["b", 3n], upper: ["b~", -5n] };
        expect((await expectEqualDigest(source, table, between)).map((row) => row.slice(0, 2))).toEqual([["b", 10n]]);
      });

      it("has no row twice and none missing when cut at keys that do not exist", async () => {
        const { source, run } = await open();
        await run(
          `CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); ${numbers(3_000)} INSERT INTO t SELECT i * 3, 'v' FROM n`,
        );
        const table = await look(source, "t");
        expect(table.rangesIndexed).toBe(true);
        const cuts = [null, [-5n], [1n], [100n], [4_444n], [8_999n], [9_000n], [20_000n], null];
        const ids: unknown[] = [];
        for (let index = 1; index < cuts.length; index += 1) {
          const range = { lower: cuts[index - 1] ?? null, upper: cuts[index] ?? null };
          ids.push(...(await expectEqualDigest(source, table, range)).map((row) => row[0]));
        }
        expect(ids).toEqual(Array.from({ length: 3_000 }, (_, index) => BigInt(index + 1) * 3n));
      });

      it("orders keys of other kinds than the column's as SQLite does", async () => {
        const { source, run } = await open();
        await run("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
        const table = await look(source, "t");
        const count = async (range: KeyRange) => (await expectEqualDigest(source, table, range)).length;
        expect(await count({ lower: ["x"], upper: null })).toBe(0);
        expect(await count({ lower: null, upper: ["x"] })).toBe(2);
        expect(await count({ lower: [1.5], upper: null })).toBe(1);
        expect(await count({ lower: [null], upper: [Buffer.from("a")] })).toBe(2);
        expect(await count({ lower: null, upper: [1.5] })).toBe(1);
      });
    });

    describe("readKeys", () => {
      it("gives the rows that exist", async () => {
        const { source, run } = await open();
        await run(`CREATE TABLE t (a TEXT, b BIGINT, v TEXT, PRIMARY KEY (a, b));
          INSERT INTO t VALUES ('x', 1, 'one'), ('x', 2, 'two'), ('"\\,{}', 3, 'three')`);
        const table = await look(source, "t");
        const keys = [
          ["x", 2n],
          ["y", 1n],
          ['"\\,{}', 3n],
          ["x", 99n],
        ];
        const rows = await source.readKeys(table, keys, signal);
        expect(new Set(rows.map((row) => row[2]))).toEqual(new Set(["two", "three"]));
        expect(rows).toContainEqual(["x", 2n, "two"]);
        expect(await source.readKeys(table, [], signal)).toEqual([]);
        // A key that was written into the local table by hand.
        expect(
          await source.readKeys(
            table,
            [
              ["x", "no number"],
              ["x", 1n],
            ],
            signal,
          ),
        ).toEqual([["x", 1n, "one"]]);
      });
    });

    describe("readPoint", () => {
      it("has no ceiling without a cursor value, and counts NULL", async () => {
        const { source, run } = await open();
        await run("CREATE TABLE t (id INTEGER PRIMARY KEY, c BIGINT)");
        const table = await look(source, "t");
        expect(await source.readPoint(table, "c", 5, signal)).toEqual({
          ceiling: null,
          openTransactions: [],
          nullCursorRows: 0,
        });
        expect(await source.hasValues(table, "c", signal)).toBe(false);
        await run("INSERT INTO t VALUES (1, NULL), (2, NULL)");
        expect(await source.readPoint(table, "c", 5, signal)).toMatchObject({ ceiling: null, nullCursorRows: 2 });
        expect(await source.hasValues(table, "c", signal)).toBe(false);
        await run("INSERT INTO t VALUES (3, 30), (4, 40)");
        expect(await source.readPoint(table, "id", 5, signal)).toMatchObject({
          ceiling: { value: "4", inclusive: true },
        });
        expect(await source.hasValues(table, "c", signal)).toBe(true);
      });
    });

    describe("close", () => {
      it("may be called twice, and refuses what comes after", async () => {
        const { source, run } = await open();
        await run("CREATE TABLE t (id INTEGER PRIMARY KEY)");
        await look(source, "t");
        await source.close();
        await source.close();
        await expect(look(source, "t")).rejects.toThrow();
      });
    });
  });
}
