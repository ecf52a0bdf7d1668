import { beforeAll, describe, expect, it } from "vitest";
import { createPostgresSource } from "../../../../src/tables/sources/postgres/create-postgres-source.js";
import { atEnd } from "../../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../../support/postgres.js";

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
  await server.query("CREATE ROLE tenant LOGIN PASSWORD 'tenant'");
});

const signal = new AbortController().signal;
const ALL = { lower: null, upper: null };

async function openAsTenant() {
  const database = await server.createDatabase();
  await database.query(`CREATE TABLE t (id int PRIMARY KEY, owner text, version int);
    INSERT INTO t SELECT i, CASE WHEN i % 2 = 0 THEN 'tenant' ELSE 'other' END, CASE WHEN i < 10 THEN i END FROM generate_series(1, 10) i;
    GRANT SELECT ON t TO tenant; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON t USING (owner = current_user)`);
  const source = createPostgresSource(database.urlFor({ user: "tenant", password: "tenant" }));
  atEnd(() => source.close());
  const table = await source.describe("t", { numeric: "real", signal });
  const idsAfter = async (after?: readonly string[]): Promise<unknown[]> => {
    const ids: unknown[] = [];
    const request = { table, keyset: ["id"], batchSize: 2, signal, ...(after === undefined ? {} : { after }) };
    for await (const batch of source.read(request)) ids.push(...batch.rows.map((row) => row[0]));
    return ids;
  };
  return { database, source, table, idsAfter };
}

describe("row level security", () => {
  it("makes hidden rows as good as absent, everywhere", async () => {
    const { source, table, idsAfter } = await openAsTenant();
    expect(await idsAfter()).toEqual([2, 4, 6, 8, 10]);
    expect((await source.digest(table, ALL, signal)).rows).toBe(5);
    expect(await source.readKeys(table, [[1n], [2n]], signal)).toEqual([[2n, "tenant", 2n]]);
    const point = await source.readPoint(table, "version", 0, signal);
    expect(point).toMatchObject({ ceiling: { value: "8" }, nullCursorRows: 1 });
  });

  it("shows a changed policy to those who compare, and not to a cursor that has gone by", async () => {
    const { database, source, table, idsAfter } = await openAsTenant();
    await database.query("DROP POLICY own ON t; CREATE POLICY everyone ON t USING (true)");
    expect((await source.digest(table, ALL, signal)).rows).toBe(10);
    expect(await idsAfter(["8"])).toEqual([9, 10]);
    await database.query("DROP POLICY everyone ON t");
    expect((await source.digest(table, ALL, signal)).rows).toBe(0);
    expect(await idsAfter()).toEqual([]);
  });

  it("fails with the server's words where a policy does", async () => {
    const { database, idsAfter } = await openAsTenant();
    await database.query("CREATE POLICY broken ON t USING (current_setting('app.tenant') = owner)");
    await expect(idsAfter()).rejects.toMatchObject({
      code: "SOURCE_FAILED",
      message: expect.stringContaining("app.tenant"),
    });
  });
});
