import { beforeAll, describe, expect, it } from "vitest";
import { createPostgresSource } from "../../../../src/tables/sources/postgres/create-postgres-source.js";
import type { TableSource } from "../../../../src/tables/sources/table-source.js";
import { atEnd } from "../../../support/at-end.js";
import { startPostgres, type TestDatabase, type TestPostgres } from "../../../support/postgres.js";

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres({ settings: { max_prepared_transactions: 5, autovacuum: "off" } });
  await server.query("CREATE ROLE reader LOGIN PASSWORD 'reader'");
});

const signal = new AbortController().signal;
const open = (url: string): TableSource => {
  const source = createPostgresSource(url);
  atEnd(() => source.close());
  return source;
};

async function pointOf(database: TestDatabase, column: string, lagSeconds = 5, source = open(database.url)) {
  const table = await source.describe("t", { numeric: "real", signal });
  return { source, ...(await source.readPoint(table, column, lagSeconds, signal)) };
}

describe("readPoint of PostgreSQL", () => {
  it("lists transactions that are open, whether they have written or not, until they end", async () => {
    const database = await server.createDatabase();
    await database.query("CREATE TABLE t (id serial PRIMARY KEY, v text); GRANT SELECT ON t TO reader");
    const writer = await database.connect();
    await writer.query("BEGIN");
    await writer.query("SELECT nextval('t_id_seq')");
    const late = await database.connect();
    await late.query("BEGIN");
    await late.query("INSERT INTO t (v) VALUES ('late')");
    await database.query("INSERT INTO t (v) VALUES ('early')");
    for (const url of [database.url, database.urlFor({ user: "reader", password: "reader" })]) {
      const { source, ceiling, openTransactions } = await pointOf(database, "id", 5, open(url));
      expect(ceiling).toEqual({ value: "3", inclusive: true });
      expect(openTransactions.length).toBe(2);
      expect(new Set(openTransactions).size).toBe(2);
      expect(await source.stillOpen(openTransactions, signal)).toEqual(openTransactions);
    }
    const { source, openTransactions } = await pointOf(database, "id");
    await late.query("COMMIT");
    expect((await source.stillOpen(openTransactions, signal)).length).toBe(1);
    await writer.query("ROLLBACK");
    expect(await source.stillOpen(openTransactions, signal)).toEqual([]);
    await late.query("BEGIN; SELECT 1");
    expect(await source.stillOpen(openTransactions, signal)).toEqual([]);
    expect((await pointOf(database, "id")).openTransactions.some((name) => openTransactions.includes(name))).toBe(
      false,
    );
  });

  it("does not list itself, other copies of this program, or other databases", async () => {
    const database = await server.createDatabase();
    await database.query("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)");
    const other = await (await server.createDatabase()).connect();
    await other.query("BEGIN; SELECT 1");
    const copier = open(database.url);
    const table = await copier.describe("t", { numeric: "real", signal });
    for await (const _ of copier.read({ table, keyset: ["id"], batchSize: 10, signal })) {
      expect((await pointOf(database, "id")).openTransactions).toEqual([]);
      expect((await pointOf(database, "id", 5, copier)).openTransactions).toEqual([]);
      break;
    }
  });

  it("keeps to a transaction that is prepared and committed later", async () => {
    const database = await server.createDatabase();
    await database.query("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (5)");
    const client = await database.connect();
    await client.query("BEGIN");
    await client.query("INSERT INTO t VALUES (1)");
    const { source, openTransactions } = await pointOf(database, "id");
    expect(openTransactions.length).toBe(1);
    await client.query("PREPARE TRANSACTION 'later'");
    expect(await source.stillOpen(openTransactions, signal)).toEqual(openTransactions);
    const again = await pointOf(database, "id");
    expect(again.openTransactions).toEqual([expect.stringMatching(/^prepared:\d+:later$/)]);
    await client.query("COMMIT PREPARED 'later'");
    expect(await source.stillOpen([...openTransactions, ...again.openTransactions], signal)).toEqual([]);
  });

  it("puts the ceiling of a time lagSeconds behind the source's clock", async () => {
    const database = await server.createDatabase();
    await database.query(`CREATE TABLE t (id serial PRIMARY KEY, tz timestamptz, ts timestamp, d date);
      INSERT INTO t (tz, ts, d) VALUES (now() - interval '1 minute', now() AT TIME ZONE 'UTC' - interval '1 minute', 'today'::date - 1)`);
    const [old] = await database.query<{ tz: string; ts: string }>(
      "SELECT (tz AT TIME ZONE 'UTC')::text || '+00' AS tz, ts::text FROM t",
    );
    expect((await pointOf(database, "tz")).ceiling).toEqual({ value: old?.tz, inclusive: true });
    expect((await pointOf(database, "ts")).ceiling).toEqual({ value: old?.ts, inclusive: true });
    await database.query(`INSERT INTO t (tz, ts, d)
      VALUES (now() + interval '1 hour', now() AT TIME ZONE 'UTC', (now() AT TIME ZONE 'UTC')::date + 1)`);
    for (const column of ["tz", "ts"]) {
      const { ceiling } = await pointOf(database, column, 30);
      expect(ceiling?.inclusive).toBe(false);
      const [age] = await database.query<{ age: number }>(
        "SELECT extract(epoch FROM now() - $1::timestamptz)::float8 AS age",
        [`${ceiling?.value.replace(/\+00$/, "")}+00`],
      );
      expect(age?.age).toBeGreaterThan(25);
      expect(age?.age).toBeLessThan(40);
    }
    const { ceiling } = await pointOf(database, "d", 0);
    expect(ceiling?.inclusive).toBe(false);
  });

  it("leaves the last value of a cursor that is not unique above the ceiling", async () => {
    const database = await server.createDatabase();
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, version int, n numeric UNIQUE);
      INSERT INTO t VALUES (1, 7, 1.10), (2, 7, 20.00)`);
    expect((await pointOf(database, "version")).ceiling).toEqual({ value: "7", inclusive: false });
    expect((await pointOf(database, "n")).ceiling).toEqual({ value: "20.00", inclusive: true });
  });
});

describe("describe of PostgreSQL", () => {
  it("knows views, partitions, identity columns, defaults from sequences and estimates", async () => {
    const database = await server.createDatabase();
    await database.query(`CREATE TABLE p (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
      INSERT INTO p (at) SELECT '2024-01-01' FROM generate_series(1, 500);
      CREATE VIEW v AS SELECT * FROM p; CREATE MATERIALIZED VIEW m AS SELECT * FROM p;
      CREATE TABLE s (id serial PRIMARY KEY); CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."c.d" (x int);
      ANALYZE`);
    const source = open(database.url);
    const look = (name: string) => source.describe(name, { numeric: "real", signal });
    expect(await look("p")).toMatchObject({ primaryKey: ["at", "id"], estimatedRows: 500, rangesIndexed: true });
    expect((await look("public.p")).columns[0]).toMatchObject({ name: "id", increasing: true, indexed: false });
    expect((await look("p")).columns[1]).toMatchObject({ name: "at", indexed: true, order: "time" });
    expect(await look("v")).toMatchObject({ primaryKey: [], estimatedRows: null });
    expect(await look("m")).toMatchObject({ primaryKey: [], estimatedRows: 500 });
    expect((await look("s")).columns[0]).toMatchObject({ increasing: true, unique: true, nullable: false });
    expect(await look("a.b.c.d")).toMatchObject({ schema: "a.b", name: "c.d" });
    await expect(look("c.d")).rejects.toMatchObject({ code: "TABLE_MISSING" });
  });

  it("takes for increasing only what a sequence gives in order", async () => {
    const database = await server.createDatabase();
    await database.query(`CREATE SEQUENCE shared; CREATE SEQUENCE cached CACHE 20; CREATE SEQUENCE falling INCREMENT -1; CREATE SEQUENCE cycling CYCLE; CREATE SEQUENCE steps INCREMENT 50;
      CREATE TABLE t (serial serial, identity int GENERATED BY DEFAULT AS IDENTITY, shared bigint DEFAULT nextval('shared'),
        cached int DEFAULT nextval('cached'), cached_identity int GENERATED ALWAYS AS IDENTITY (CACHE 2),
        falling int DEFAULT nextval('falling'), cycling int DEFAULT nextval('cycling'), steps int DEFAULT nextval('steps'), by_name int DEFAULT nextval('shared'::text),
        multiple int DEFAULT nextval('shared') * 7 % 5, plain int DEFAULT 5);
      INSERT INTO t DEFAULT VALUES`);
    const { columns } = await open(database.url).describe("t", { numeric: "real", signal });
    const increasing = columns.filter((column) => column.increasing).map((column) => column.name);
    expect(increasing).toEqual(["serial", "identity", "shared"]);
    expect((await pointOf(database, "shared")).ceiling?.inclusive).toBe(true);
    expect((await pointOf(database, "cached")).ceiling?.inclusive).toBe(false);
    await database.query(`CREATE TABLE p (id int GENERATED ALWAYS AS IDENTITY, k int) PARTITION BY LIST (k);
      CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)`);
    const partition = await open(database.url).describe("p1", { numeric: "real", signal });
    expect(partition.columns[0]).toMatchObject({ name: "id", increasing: true });
  });

  it("refuses columns that differ only in capitals, naming both", async () => {
    const database = await server.createDatabase();
    await database.query('CREATE TABLE t (id int PRIMARY KEY, "Name" text, name text)');
    await expect(open(database.url).describe("t", { numeric: "real", signal })).rejects.toMatchObject({
      code: "INVALID_TASK",
      message: expect.stringMatching(/"Name" and "name"/),
    });
  });

  it("gives key ranges by index for text in a binary collation only", async () => {
    const database = await server.createDatabase();
    await database.query(`CREATE TABLE icu (k text PRIMARY KEY); CREATE TABLE c (k text COLLATE "C" PRIMARY KEY);
      INSERT INTO c VALUES ('a'), ('B'), ('ä'), ('😀')`);
    const source = open(database.url);
    const look = (name: string) => source.describe(name, { numeric: "real", signal });
    expect((await look("icu")).rangesIndexed).toBe(false);
    const table = await look("c");
    expect(table.rangesIndexed).toBe(true);
    const keys: unknown[] = [];
    for await (const batch of source.readRange(table, { lower: ["B"], upper: null }, 10, signal))
      keys.push(...batch.rows.flat());
    expect(keys).toEqual(["a", "ä", "😀"]);
  });
});
