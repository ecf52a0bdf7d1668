import { beforeAll, describe, expect, it } from "vitest";
import type { SqliteRow } from "../../../../src/sqlite/sqlite-value.js";
import { createPostgresSource } from "../../../../src/tables/sources/postgres/create-postgres-source.js";
import { digestSql } from "../../../../src/tables/sources/postgres/digest-sql.js";
import { atEnd } from "../../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../../support/postgres.js";

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
});

const signal = new AbortController().signal;

/** How the planner digests ten ranges of 500 rows in the middle of a table of 100,000. */
async function plansOf(name: string): Promise<string[]> {
  const source = createPostgresSource(server.url);
  atEnd(() => source.close());
  const table = await source.describe(name, { numeric: "real", signal });
  const keys: SqliteRow[] = [];
  for await (const { rows } of source.readRange(table, { lower: null, upper: null }, 10_000, signal))
    keys.push(...rows);
  expect(keys.length).toBe(100_000);
  const plans: string[] = [];
  for (let start = 20_000; start < 70_000; start += 5_000) {
    const range = { lower: keys[start] ?? null, upper: keys[start + 500] ?? null };
    expect((await source.digest(table, range, signal)).rows).toBe(500);
    const { text, values } = digestSql(table, range, true);
    const plan = await server.query<{ "QUERY PLAN": string }>(`EXPLAIN ${text}`, values);
    plans.push(plan.map((line) => line["QUERY PLAN"]).join("\n"));
  }
  return plans;
}

describe("a range of a key of two columns", () => {
  it.each([
    ["even", "a uuid, b int, PRIMARY KEY (a, b)", "gen_random_uuid(), i"],
    // Nine rows of ten have the same first column.
    ["uneven", "a int, b uuid, PRIMARY KEY (a, b)", "CASE WHEN i % 10 = 0 THEN i / 10 ELSE 5 END, gen_random_uuid()"],
    ["mixed, with a second column in another order than here,", "a int, b text, PRIMARY KEY (a, b)", "i, 'n' || i"],
  ])("is known to the planner for as few rows as it has: %s", async (name, columns, values) => {
    const table = name.slice(0, 5);
    await server.query(
      `CREATE TABLE ${table} (${columns}); INSERT INTO ${table} SELECT ${values} FROM generate_series(1, 100000) i`,
    );
    await server.query(`ANALYZE ${table}`);
    for (const plan of await plansOf(table)) {
      const rows = / on [a-z]+ t .*rows=(\d+)/.exec(plan)?.[1];
      // Two row comparisons alone count as a quarter of the table: 25,000.
      expect(Number(rows), plan).toBeLessThan(2_000);
      expect(plan).toContain(`${table}_pkey`);
    }
  });
});
