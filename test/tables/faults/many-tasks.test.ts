import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { createTableReplication, type TableReplicationOptions } from "../../../src/tables/index.js";
import { atEnd } from "../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../support/postgres.js";
import { inCi } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];

function replicate(options: Partial<TableReplicationOptions> & { readonly source: string }) {
  const database = join(tempDir(), "replica.db");
  const tables = createTableReplication({ database, backOff: { baseMs: 50, capMs: 200 }, ...options });
  atEnd(() => tables.stop());
  return { tables, database };
}

describe("Many tasks of one source", () => {
  it.runIf(inCi).each([1, 4])(
    "never wait for each other, with %i at once",
    async (concurrency) => {
      const source = await postgres.createDatabase();
      const names = NAMES.slice(0, concurrency * 2);
      // Slow enough that a run takes more than one unit.
      for (const name of names)
        await source.query(
          `CREATE VIEW ${name} AS SELECT i, pg_sleep(0.004)::text AS s FROM generate_series(1, 400) i`,
        );
      const tasks = names.map((sourceTable) => ({ sourceTable, mode: "full" as const, batchSize: 40 }));
      const { tables } = replicate({ source: source.url, tasks, concurrency, runTimeoutMs: 8_000 });
      await tables.start();
      await Promise.all(names.map((name) => tables.runTask(name)));
      const states = await tables.status();
      expect(states.map(({ consecutiveFailures }) => consecutiveFailures)).toEqual(names.map(() => 0));
      expect((await tables.query("SELECT count(*) FROM a")).rows).toEqual([[400]]);
    },
    60_000,
  );

  it("may all be verified at once, with many differences in each", async () => {
    const source = await postgres.createDatabase();
    const names = NAMES.slice(0, 5);
    for (const name of names)
      await source.query(
        `CREATE TABLE ${name} (id int PRIMARY KEY, updated_at timestamptz); INSERT INTO ${name} SELECT i, '2024-01-01' FROM generate_series(1, 3000) i`,
      );
    const { tables, database } = replicate({ source: source.url, tables: names });
    await tables.start();
    await Promise.all(names.map((name) => tables.runTask(name)));
    const local = new Database(database);
    for (const name of names) local.exec(`DELETE FROM ${name} WHERE id <= 1500`);
    local.close();
    const found = await Promise.all(names.map((name) => tables.verify(name, { repair: true })));
    expect(found).toEqual(names.map(() => ({ equal: false, missing: 1500, extra: 0, different: 0, repaired: 1500 })));
  }, 60_000);
});
