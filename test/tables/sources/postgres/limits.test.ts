import { constants } from "node:buffer";
import { beforeAll, describe, expect, it } from "vitest";
import { createTable } from "../../../../src/tables/local/create-table.js";
import { LocalTable } from "../../../../src/tables/local/local-table.js";
import { createPostgresSource } from "../../../../src/tables/sources/postgres/create-postgres-source.js";
import { MAX_TIES } from "../../../../src/tables/sources/table-source.js";
import { atEnd } from "../../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../../support/postgres.js";
import { size } from "../../../support/size.js";
import { openLocal } from "../../local/local-fixture.js";

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
});

const signal = new AbortController().signal;
const ALL = { lower: null, upper: null };

const open = () => {
  const source = createPostgresSource(server.url);
  atEnd(() => source.close());
  return { source, describe: (name: string) => source.describe(name, { numeric: "real", signal }) };
};

describe("a table as wide as PostgreSQL allows", () => {
  it.each([90, 91, 1_600])("with %i columns is copied, compared and looked up", async (count) => {
    const names = Array.from({ length: count - 2 }, (_, index) => `c${index}`);
    // A key that is selected twice: as it is kept, and as it is ordered.
    await server.query(`CREATE TABLE wide_${count} (id int, tags int[], ${names.map((name) => `${name} smallint`).join(", ")},
      PRIMARY KEY (id, tags))`);
    await server.query(`INSERT INTO wide_${count} SELECT i, ARRAY[i], ${names.map((_, index) => (index % 7 === 0 ? "NULL" : `i + ${index}`)).join(", ")}
      FROM generate_series(1, 50) i`);
    const { source, describe: look } = open();
    const table = await look(`wide_${count}`);
    expect(table.columns.length).toBe(count);
    const database = await openLocal();
    createTable(database, "t", table);
    const local = new LocalTable(
      database,
      "t",
      table.columns.map(({ name }) => name),
      table.primaryKey,
    );
    for (let round = 0; round < 2; round += 1) {
      for await (const { rows } of source.read({ table, keyset: ["id", "tags"], batchSize: 33, signal })) {
        expect(database.transaction(() => local.write(rows))).toBe(rows.length);
      }
    }
    const ranges = [ALL, { lower: [7n, "[7]"], upper: [20n, "[20]"] }];
    for (const range of ranges)
      expect(await source.digest(table, range, signal)).toEqual(await local.digest(range, signal));
    const keys = [[3n, "[3]"]];
    expect(await source.readKeys(table, keys, signal)).toEqual(local.readKeys(keys));
  });
});

describe("a value that is longer than any string", () => {
  // 15 seconds and gigabytes of memory: with STARFISH_TEST_SIZE=ci.
  it.skipIf(size({ test: 0, ci: 1 }) === 0)(
    "fails the read with what to do, and nothing else",
    { timeout: 120_000 },
    async () => {
      await server.query(`CREATE TABLE huge (id int PRIMARY KEY, v text);
      INSERT INTO huge SELECT 1, repeat('x', ${constants.MAX_STRING_LENGTH + 1})`);
      const { source, describe: look } = open();
      const table = await look("huge");
      const reading = source
        .read({ table, keyset: ["id"], batchSize: 10, signal })
        [Symbol.asyncIterator]()
        .next();
      await expect(reading).rejects.toMatchObject({ code: "SOURCE_FAILED", hint: expect.stringContaining("columns") });
      expect((await look("huge")).columns.length).toBe(2);
    },
  );
});

describe("ties of a table without a key", () => {
  it("are read together up to the limit, and beyond it refused with what to do", async () => {
    await server.query(`CREATE TABLE ties (at timestamptz, n int);
      INSERT INTO ties SELECT '2024-01-01', i FROM generate_series(1, ${MAX_TIES}) i`);
    const { source, describe: look } = open();
    const table = await look("ties");
    const read = async (): Promise<number[]> => {
      const sizes: number[] = [];
      const request = { table, keyset: ["at"], batchSize: 1_000, wholeTies: true, signal };
      for await (const { rows } of source.read(request)) sizes.push(rows.length);
      return sizes;
    };
    expect(await read()).toEqual([MAX_TIES]);
    await server.query("INSERT INTO ties VALUES ('2024-01-01', 0), ('2024-01-02', 0)");
    await expect(read()).rejects.toMatchObject({
      code: "TOO_MANY_TIES",
      message: expect.stringContaining(`ties: more than ${MAX_TIES} rows share one cursor value`),
      hint: expect.stringMatching(/primary key.*finer cursor.*"full"/),
    });
  });
});
