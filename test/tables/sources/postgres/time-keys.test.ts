import { beforeAll, describe, expect, it } from "vitest";
import type { SqliteRow } from "../../../../src/sqlite/sqlite-value.js";
import { compareKeys } from "../../../../src/tables/copy/key-order.js";
import { createPostgresSource } from "../../../../src/tables/sources/postgres/create-postgres-source.js";
import type { SourceTable } from "../../../../src/tables/sources/source-table.js";
import type { KeyRange, TableSource } from "../../../../src/tables/sources/table-source.js";
import { atEnd } from "../../../support/at-end.js";
import { startPostgres, type TestDatabase, type TestPostgres } from "../../../support/postgres.js";

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
});

const signal = new AbortController().signal;

const USUAL = [
  ...["0001-01-01 00:00", "0999-12-31 23:59:59.999999", "1970-01-01 00:00:00.5", "2024-02-29 12:00:00.000001"],
  ...["2024-02-29 12:00:00.1", "9999-12-31 23:59:59.999", "infinity"],
];
const UNUSUAL = ["0044-03-15 12:00 BC", "0001-06-01 00:00 BC", "10000-01-01 00:00", "294276-12-31 00:00", "-infinity"];

interface Opened {
  readonly database: TestDatabase;
  readonly source: TableSource;
  describe(): Promise<SourceTable>;
}

/** A table `t` with a time in its key and these values in it, each twice. */
async function openWith(type: string, times: readonly string[], index = "CREATE INDEX ON t (at)"): Promise<Opened> {
  const database = await server.createDatabase();
  await database.query(`CREATE TABLE t (id int, at ${type}, PRIMARY KEY (id, at)); ${index}`);
  for (const time of times) await insert(database, time);
  const source = createPostgresSource(database.url);
  atEnd(() => source.close());
  return { database, source, describe: () => source.describe("t", { numeric: "real", signal }) };
}

/** In UTC: the years 1 and 9999 end elsewhere at other moments. */
async function insert(database: TestDatabase, time: string): Promise<void> {
  await database.query(
    `SET TimeZone = 'UTC'; INSERT INTO t VALUES (1, '${time}'), (2, '${time}') ON CONFLICT DO NOTHING`,
  );
}

async function keysOf(source: TableSource, table: SourceTable, range: KeyRange): Promise<SqliteRow[]> {
  const keys: SqliteRow[] = [];
  for await (const batch of source.readRange(table, range, 3, signal)) keys.push(...batch.rows);
  expect((await source.digest(table, range, signal)).rows).toBe(keys.length);
  return keys;
}

/** What such a range of the local copy has. */
function inLocalOrder(keys: readonly SqliteRow[], { lower, upper }: KeyRange): SqliteRow[] {
  const inside = keys.filter(
    (key) => (lower === null || compareKeys(key, lower) > 0) && (upper === null || compareKeys(key, upper) <= 0),
  );
  return inside.sort(compareKeys);
}

const STRANGE = [
  ...["", "+10000-01-01", "-0043-03-15T12:00:00.000000", "-infinity", "0000-06-01", "2024-02-30", "infinity", "zebra"],
  ...[
    "2024-02-30T00:00:00.000000Z",
    "2024-02-29T24:00:00.000000",
    "2024-02-29T12:00:00.000000Z",
    "2024-02-29T12:00:00",
  ],
];

describe("a time in a primary key", () => {
  it.each(["date", "timestamp", "timestamptz", "timestamptz(3)"])(
    "gives ranges by the key's index where it is %s and all are usual",
    async (type) => {
      const { database, source, describe } = await openWith(type, USUAL);
      const table = await describe();
      expect(table.rangesIndexed).toBe(true);
      const all = await keysOf(source, table, { lower: null, upper: null });
      expect(all).toEqual(inLocalOrder(all, { lower: null, upper: null }));
      const bounds = [...all, ...STRANGE.map((text) => [1n, text]), [1n, null], [1n, 5n], [2n, Buffer.from("00")]];
      for (const [index, lower] of bounds.entries()) {
        const upper = bounds[(index * 7) % bounds.length] ?? null;
        for (const range of [
          { lower, upper: null },
          { lower, upper },
        ]) {
          expect(await keysOf(source, table, range), JSON.stringify(range, String)).toEqual(inLocalOrder(all, range));
        }
      }
      const plan = await database.query<{ "QUERY PLAN": string }>(
        "SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN SELECT FROM t WHERE (t.id, t.at) > (1::bigint, '2024-01-01') ORDER BY t.id, t.at",
      );
      expect(plan[0]?.["QUERY PLAN"]).toContain("t_pkey");
    },
  );

  it.each(UNUSUAL)("is compared as a text where one is %s", async (time) => {
    const { database, source, describe } = await openWith("timestamp", USUAL);
    expect((await describe()).rangesIndexed).toBe(true);
    await insert(database, time);
    const table = await describe();
    expect(table.rangesIndexed).toBe(false);
    const all = await keysOf(source, table, { lower: null, upper: null });
    expect(all.length).toBe(16);
    expect(all).toEqual(inLocalOrder(all, { lower: null, upper: null }));
    for (const lower of all) {
      expect(await keysOf(source, table, { lower, upper: null })).toEqual(inLocalOrder(all, { lower, upper: null }));
    }
  });

  it("is compared as a text where no index finds unusual ones", async () => {
    const { describe } = await openWith("timestamptz", USUAL, "");
    expect((await describe()).rangesIndexed).toBe(false);
  });

  it("may be its first column, beside an uuid", async () => {
    const { database, source } = await openWith("timestamptz", []);
    await database.query(`CREATE TABLE visits (at timestamptz, id uuid, PRIMARY KEY (at, id));
      INSERT INTO visits SELECT '2024-01-01'::timestamptz + i * interval '1 minute', gen_random_uuid() FROM generate_series(1, 1000) i`);
    const table = await source.describe("visits", { numeric: "real", signal });
    expect(table.rangesIndexed).toBe(true);
    const all = await keysOf(source, table, { lower: null, upper: null });
    expect(all.length).toBe(1000);
    const [lower = null, upper = null] = [all[299], all[699]];
    expect(await keysOf(source, table, { lower, upper })).toEqual(all.slice(300, 700));
  });
});
