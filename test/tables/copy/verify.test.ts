import { beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres.js";
import { inCi, size } from "../../support/size.js";
import { type CopiedDatabase, startOver } from "./copied-database.js";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

const start = (sql: string): Promise<CopiedDatabase> => startOver(postgres, sql);

const ITEMS = `CREATE TABLE items (id bigserial PRIMARY KEY, name text, price numeric(10, 2), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
  INSERT INTO items (name, price) SELECT 'item ' || i, i / 100.0 FROM generate_series(1, 30000) i`;
const CODES = `CREATE TABLE codes (code text PRIMARY KEY, name text, updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
  INSERT INTO codes SELECT md5(i::text) || chr(65 + i % 60), 'n' || i FROM generate_series(1, 30000) i`;

describe("verify", () => {
  it("proves a copy equal", async () => {
    const { add, verify } = await start(ITEMS);
    const task = await add({ sourceTable: "items" });
    expect(await verify(task)).toEqual({ equal: true, missing: 0, extra: 0, different: 0, repaired: 0 });
  });

  it.each([
    ["items", ITEMS, "id", "id IN (7, 15000)", "id = 20000", "-5"],
    ["codes", CODES, "code", "rowid IN (7, 15000)", "rowid = 20000", "'zz'"],
  ])("finds what was planted in %s, and repair mends it", async (table, sql, key, two, one, other) => {
    const { add, change, rows, verify } = await start(sql);
    const task = await add({ sourceTable: table });
    change(`UPDATE ${table} SET name = name || '!' WHERE ${one}; DELETE FROM ${table} WHERE ${two}`);
    change(
      `INSERT INTO ${table} (${key}, name, updated_at) VALUES (${other}, 'planted', '2020-01-01T00:00:00.000000Z')`,
    );
    const found = { equal: false, missing: 2, extra: 1, different: 1 };
    expect(await verify(task)).toEqual({ ...found, repaired: 0 });
    expect(await verify(task, true)).toEqual({ ...found, repaired: 4 });
    expect(await verify(task)).toMatchObject({ equal: true });
    expect(rows(`SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: 30_000 }]);
  });

  it("finds a value of another storage class, and one that differs in its last bit", async () => {
    const { add, change, verify } = await start(
      "CREATE TABLE t (id int PRIMARY KEY, a double precision, b text); INSERT INTO t SELECT i, i / 3.0, i::text FROM generate_series(1, 100) i",
    );
    const task = await add({ sourceTable: "t", cursorColumn: "id" });
    change("UPDATE t SET a = a * (1 + 2.3e-16) WHERE id = 10; UPDATE t SET b = CAST(b AS BLOB) WHERE id = 20");
    expect(await verify(task)).toMatchObject({ different: 2, missing: 0, extra: 0 });
  });

  it("mends an emptied copy", async () => {
    const { add, change, rows, verify } = await start(ITEMS);
    const task = await add({ sourceTable: "items" });
    change("DELETE FROM items");
    expect(await verify(task, true)).toMatchObject({ missing: 30_000, repaired: 30_000 });
    expect(rows("SELECT count(*) AS n FROM items")).toEqual([{ n: 30_000 }]);
  });

  it("finds rows that the source has deleted", async () => {
    const { add, source, verify } = await start(ITEMS);
    const task = await add({ sourceTable: "items" });
    await source.query("DELETE FROM items WHERE id % 1000 = 0");
    expect(await verify(task)).toMatchObject({ extra: 30, missing: 0, different: 0 });
  });

  it("compares a table without a key as a whole, and repairs by copying anew", async () => {
    const { add, change, rows, verify } = await start(
      "CREATE TABLE log (id bigserial, line text); INSERT INTO log (line) SELECT 'l' || i FROM generate_series(1, 500) i",
    );
    const task = await add({ sourceTable: "log" });
    expect(await verify(task)).toMatchObject({ equal: true });
    change("DELETE FROM log WHERE id = 5");
    expect(await verify(task)).toMatchObject({ equal: false, missing: 1 });
    expect(await verify(task, true)).toMatchObject({ equal: false, repaired: 500 });
    expect(rows("SELECT count(*) AS n FROM log")).toEqual([{ n: 500 }]);
  });

  it("compares a full copy with the source as it is now", async () => {
    const { add, change, verify } = await start(
      "CREATE TABLE pairs (a int PRIMARY KEY, b int); INSERT INTO pairs SELECT i, i FROM generate_series(1, 100) i",
    );
    const task = await add({ sourceTable: "pairs", mode: "full" });
    change("UPDATE pairs SET b = 0 WHERE a = 3");
    expect(await verify(task)).toMatchObject({ different: 1 });
    expect(await verify(task, true)).toMatchObject({ repaired: 1 });
    expect(await verify(task)).toMatchObject({ equal: true });
  });

  it.runIf(inCi)("raises no false alarm on a table in use", { timeout: 300_000 }, async () => {
    const { add, change, source, verify } = await start(ITEMS);
    const task = await add({ sourceTable: "items", deletes: "reconcile" });
    change("UPDATE items SET name = 'planted' WHERE id = 29000");
    let writing = true;
    let writes = 0;
    const writers = [1, 2].map(async (seed) => {
      const client = await source.connect();
      while (writing) {
        const id = 1 + ((writes * 7919 + seed) % 20_000);
        await client.query("UPDATE items SET name = $2, updated_at = clock_timestamp() WHERE id = $1", [
          id,
          `w${writes}`,
        ]);
        if (writes % 5 === 0) await client.query("INSERT INTO items (name) VALUES ('new')");
        writes += 1;
      }
    });
    const results = [];
    for (let round = 0; round < size({ test: 3, ci: 8, soak: 40 }); round += 1) results.push(await verify(task));
    writing = false;
    await Promise.all(writers);
    expect(writes).toBeGreaterThan(20);
    expect(results).toEqual(results.map(() => ({ equal: false, missing: 0, extra: 0, different: 1, repaired: 0 })));
  });
});

describe("deletes: reconcile", () => {
  it("removes what is gone and brings what was missed, reading only ranges that differ", async () => {
    const { add, change, rows, run, source } = await start(ITEMS);
    const task = await add({ sourceTable: "items", deletes: "reconcile" });
    await source.query("DELETE FROM items WHERE id BETWEEN 100 AND 119");
    change("DELETE FROM items WHERE id = 200");
    const mended = await run(task, "requested");
    expect(mended).toMatchObject({ rowsDeleted: 20, rowsPulled: 1 });
    expect(rows("SELECT count(*) AS n FROM items")).toEqual([{ n: 29_980 }]);
    expect(await run(task, "requested")).toMatchObject({ rowsDeleted: 0, rowsPulled: 0 });
  });

  it.runIf(inCi)("works on a table in use, and ends equal", { timeout: 300_000 }, async () => {
    const { add, run, source, verify } = await start(ITEMS);
    const task = await add({ sourceTable: "items", deletes: "reconcile" });
    let writing = true;
    const writer = (async () => {
      const client = await source.connect();
      for (let id = 1; writing; id += 3) {
        await client.query("DELETE FROM items WHERE id = $1", [id]);
        await client.query("UPDATE items SET name = 'changed', updated_at = clock_timestamp() WHERE id = $1", [id + 1]);
        await client.query("INSERT INTO items (name) VALUES ('new')");
      }
    })();
    for (let round = 0; round < size({ test: 4, ci: 10, soak: 40 }); round += 1) await run(task, "requested");
    writing = false;
    await writer;
    await run(task, "requested");
    expect(await verify(task)).toMatchObject({ equal: true });
  });
});
