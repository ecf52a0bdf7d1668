import { beforeAll, describe, expect, it } from "vitest";
import { verifyTable } from "../../../src/tables/copy/verify-table.js";
import { LocalDatabase } from "../../../src/tables/local/local-database.js";
import { LocalTable } from "../../../src/tables/local/local-table.js";
import { createPostgresSource } from "../../../src/tables/sources/postgres/create-postgres-source.js";
import type { TableSource } from "../../../src/tables/sources/table-source.js";
import { atEnd } from "../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../support/postgres.js";
import { NEVER, startEngine } from "./engine-fixture.js";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

describe("Repair of a table in use", () => {
  it("does not put back what a row was before it was changed meanwhile", async () => {
    const source = await postgres.createDatabase();
    await source.query(
      `CREATE TABLE users (id int PRIMARY KEY, name text, updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
       INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace')`,
    );
    const { add, change, file, rows, run } = await startEngine(source.url);
    const task = await add({ sourceTable: "users" });
    change("UPDATE users SET name = 'planted'");

    const real = createPostgresSource(source.url);
    atEnd(() => real.close());
    let looks = 0;
    const readKeys: TableSource["readKeys"] = async (...args) => {
      looks += 1;
      // Without touching the cursor: another look is needed to tell whether the copy follows.
      if (looks === 1) await source.query("UPDATE users SET name = 'Grace H.' WHERE id = 2");
      const found = await real.readKeys(...args);
      if (looks === 1)
        await source.query("UPDATE users SET name = 'Ada L.', updated_at = clock_timestamp() WHERE id = 1");
      return found;
    };
    const busy = new Proxy(real, {
      get: (target, name: keyof TableSource) => {
        if (name === "readKeys") return readKeys;
        const member = target[name];
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const table = await real.describe("users", { numeric: "real", signal: NEVER });
    const database = await LocalDatabase.open(file);
    atEnd(() => database.close());
    const local = new LocalTable(
      database,
      "users",
      table.columns.map(({ name }) => name),
      table.primaryKey,
    );
    const found = await verifyTable({
      source: busy,
      table,
      local,
      signal: NEVER,
      repair: true,
      lagSeconds: 0,
      commit: (_done, work) => database.transaction(work),
      catchUp: async () => void (await run(task)),
    });
    expect(found).toMatchObject({ different: 2 });
    await run(task);
    expect(rows("SELECT name FROM users ORDER BY id")).toEqual([{ name: "Ada L." }, { name: "Grace H." }]);
  });
});
