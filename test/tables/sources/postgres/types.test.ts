import { readFile } from "node:fs/promises";
import Database from "better-sqlite3";
import pg from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import type { SqliteRow } from "../../../../src/sqlite/sqlite-value.js";
import { RowDigest } from "../../../../src/tables/row-digest.js";
import { createPostgresSource } from "../../../../src/tables/sources/postgres/create-postgres-source.js";
import type { DescribeOptions } from "../../../../src/tables/sources/table-source.js";
import { atEnd } from "../../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../../support/postgres.js";
import { TYPE_CASES } from "./type-cases.js";

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
  await server.query(`CREATE TYPE mood AS ENUM ('sad', 'so "so"', 'happy');
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE DOMAIN small_positive AS positive CHECK (VALUE < 100);
    CREATE DOMAIN ints AS int[]`);
});

const signal = new AbortController().signal;
const options = (numeric: "real" | "text" = "real"): DescribeOptions => ({ numeric, signal });

/** Copies a table into a real SQLite file, and gives what that has: integers as bigint. */
async function copy(url: string, name: string, numeric?: "real" | "text") {
  const source = createPostgresSource(url);
  atEnd(() => source.close());
  const table = await source.describe(name, options(numeric));
  const local = new Database(":memory:");
  atEnd(() => local.close());
  local.exec(`CREATE TABLE t (${table.columns.map((column) => `"${column.name}" ${column.targetType}`).join(", ")})`);
  const insert = local.prepare(`INSERT INTO t VALUES (${table.columns.map(() => "?").join(", ")})`);
  let lossyValues = 0;
  for await (const batch of source.read({ table, keyset: table.primaryKey, batchSize: 2, signal })) {
    for (const row of batch.rows) insert.run(...row);
    lossyValues += batch.lossyValues;
  }
  const rows = local.prepare("SELECT * FROM t").raw().safeIntegers().all() as SqliteRow[];
  return { source, table, rows, lossyValues };
}

describe.each(TYPE_CASES)("the type %s, kept as %s", (type, targetType, values) => {
  it("has the same values and digests here and there, NULL included", async () => {
    const table = `t_${type.replaceAll(/\W/g, "_")}`;
    await server.query(`CREATE TABLE ${table} (id serial PRIMARY KEY, v ${type})`);
    for (const [literal] of values) await server.query(`INSERT INTO ${table} (v) VALUES (${literal})`);
    await server.query(`INSERT INTO ${table} (v) VALUES (NULL)`);
    const copied = await copy(server.url, table);
    expect(copied.table.columns[1]?.targetType).toBe(targetType);
    expect(copied.rows.map((row) => row[1])).toEqual([...values.map(([, value]) => value), null]);
    const digest = new RowDigest();
    for (const row of copied.rows) digest.add(row);
    const all = { lower: null, upper: null };
    expect(await copied.source.digest(copied.table, all, signal)).toEqual({
      rows: copied.rows.length,
      digest: digest.digest,
    });
    const exact: SqliteRow[] = [];
    for await (const batch of copied.source.readRange(copied.table, all, 3, signal)) exact.push(...batch.rows);
    const again = new RowDigest();
    for (const row of exact) again.add(row);
    expect(again.digest).toBe(digest.digest);
  });

  // No order, so no key: json, xml, and what is ordered by nothing.
  const keyless = [
    "json",
    "jsonpath",
    "xml",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "txid_snapshot",
  ];
  it.skipIf(keyless.includes(type))("can be a primary key: in SQLite's order, in ranges, looked up", async () => {
    const table = `k_${type.replaceAll(/\W/g, "_")}`;
    await server.query(`CREATE TABLE ${table} (v ${type} PRIMARY KEY, n serial)`);
    for (const [literal] of values) {
      if (literal.length < 1000) await server.query(`INSERT INTO ${table} (v) VALUES (${literal})`);
    }
    const { source, table: described, rows } = await copy(server.url, table);
    const local = new Database(":memory:");
    atEnd(() => local.close());
    local.exec(`CREATE TABLE t (v ${described.columns[0]?.targetType}, n INTEGER)`);
    for (const row of rows) local.prepare("INSERT INTO t VALUES (?, ?)").run(...row);
    const sorted = local.prepare("SELECT * FROM t ORDER BY v").raw().safeIntegers().all() as SqliteRow[];
    const ranged: SqliteRow[] = [];
    const cut = sorted[Math.floor(sorted.length / 2)]?.slice(0, 1) ?? null;
    for (const range of [
      { lower: null, upper: cut },
      { lower: cut, upper: null },
    ]) {
      for await (const batch of source.readRange(described, range, 2, signal)) ranged.push(...batch.rows);
    }
    expect(ranged).toEqual(sorted);
    const keys = sorted.map((row) => row.slice(0, 1));
    const found = await source.readKeys(described, keys, signal);
    expect(new Set(found.map((row) => row[1]))).toEqual(new Set(sorted.map((row) => row[1])));
  });
});

describe("decimals", () => {
  it("are counted where REAL loses digits", async () => {
    await server.query(`CREATE TABLE lossy (id int PRIMARY KEY, v numeric);
      INSERT INTO lossy VALUES (1, 0.1), (2, 123456789012345.67), (3, 12345678901234567890), (4, 0.12345678901234567890),
        (5, 1e20), (6, 1e-20), (7, 1e400), (8, 'NaN'), (9, NULL), (10, 9007199254740993), (11, 100.000000000000000000000)`);
    // 3, 4, 7 and 10.
    expect((await copy(server.url, "lossy")).lossyValues).toBe(4);
  });

  it('keep every digit with numeric: "text", and in a primary key always', async () => {
    await server.query(`CREATE TABLE exact (k numeric PRIMARY KEY, v numeric, m money);
      INSERT INTO exact VALUES (1.10, 12345678901234567890.10, '1234567.89')`);
    const text = await copy(server.url, "exact", "text");
    expect(text.rows).toEqual([["1.10", "12345678901234567890.10", "1234567.89"]]);
    expect(text.lossyValues).toBe(0);
    expect((await copy(server.url, "exact")).rows).toEqual([["1.10", Number("12345678901234567890.1"), 1234567.89]]);
  });
});

describe("NaN that was computed", () => {
  it("is the text NaN whatever its sign bit, here and in digests, and comes last among keys", async () => {
    await server.query(`CREATE TABLE nan (k float8 PRIMARY KEY, d float8, r real, n numeric);
      INSERT INTO nan SELECT x, x, x::real, x::numeric FROM (SELECT 'Infinity'::float8 - 'Infinity'::float8 AS x) computed;
      INSERT INTO nan VALUES (1, -('NaN'::float8), -('NaN'::real), 'Infinity'::numeric - 'Infinity'::numeric), ('Infinity', 0, 0, 0)`);
    const { source, table, rows } = await copy(server.url, "nan");
    const digest = new RowDigest();
    for (const row of rows) digest.add(row);
    expect(rows).toEqual([
      [1, "NaN", "NaN", "NaN"],
      [Infinity, 0, 0, 0],
      ["NaN", "NaN", "NaN", "NaN"],
    ]);
    const all = { lower: null, upper: null };
    expect(await source.digest(table, all, signal)).toEqual({ rows: 3, digest: digest.digest });
    expect((await source.digest(table, { lower: [Infinity], upper: null }, signal)).rows).toBe(1);
    expect((await source.readKeys(table, [["NaN"]], signal)).length).toBe(1);
  });
});

describe("types without a form in SQLite", () => {
  it("are refused with table, column and type, unless the column is left out", async () => {
    await server.query("CREATE TABLE odd (id int PRIMARY KEY, who aclitem)");
    const source = createPostgresSource(server.url);
    atEnd(() => source.close());
    await expect(source.describe("odd", options())).rejects.toMatchObject({
      code: "UNMAPPABLE_TYPE",
      message: expect.stringMatching(/"odd".*"who".*aclitem/),
    });
    expect((await source.describe("odd", { ...options(), columns: ["id"] })).columns.length).toBe(1);
  });
});

describe("a database that is not in UTF-8", () => {
  it("gives the same texts, digests and order", async () => {
    await server.query(`CREATE DATABASE latin TEMPLATE template0 ENCODING 'WIN1252' LOCALE_PROVIDER libc LOCALE 'C'`);
    const url = server.url.replace(/postgres$/, "latin");
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`CREATE TABLE t (k text PRIMARY KEY, v int);
      INSERT INTO t VALUES ('ü', 1), ('a', 2), ('€', 3), ('ÿ', 4), ('', NULL)`);
    await client.end();
    const { source, table, rows } = await copy(url, "t");
    expect(table.rangesIndexed).toBe(false);
    const digest = new RowDigest();
    for (const row of rows) digest.add(row);
    const all = { lower: null, upper: null };
    expect(await source.digest(table, all, signal)).toEqual({ rows: 5, digest: digest.digest });
    const keys: unknown[] = [];
    const range = { lower: ["a"], upper: ["€"] };
    for await (const batch of source.readRange(table, range, 2, signal)) keys.push(...batch.rows.map((row) => row[0]));
    expect(keys).toEqual(["ü", "ÿ", "€"]);
    expect(await source.readKeys(table, [["€"], ["nope"]], signal)).toEqual([["€", 3n]]);
  });
});

describe("docs/tables-types.md", () => {
  it("has every type that is tested here and every other that has a rule", async () => {
    const page = await readFile(new URL("../../../../docs/tables-types.md", import.meta.url), "utf8");
    const own = ["mood", "mood[]", "pair", "pair[]", "ints", "positive", "small_positive", "timestamptz[]"];
    for (const [type, targetType] of TYPE_CASES) {
      if (own.includes(type)) continue;
      const name = type
        .replace(/\(\d.*\)/, "")
        .replace(/^char$/, "char(n)")
        .replace(/^(bit|varchar)$/, "$1(n)");
      const row = page.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``));
      expect(row, name).toContain(`| ${targetType}`);
    }
  });
});
