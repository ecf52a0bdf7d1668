import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createTableReplication } from "../../../src/tables/index.js";
import { expectProcessEnds } from "../../support/open-handles.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { openShop } from "./shop.js";

describe("createTableReplication", () => {
  it("copies tables, shows what it chose, answers queries, goes on where it was after a restart", async () => {
    const shop = openShop();
    const tables = shop.replication({ tables: ["users", "orders"] });
    await tables.start();
    await Promise.all([tables.runTask("users"), tables.runTask("orders")]);
    expect(await tables.task("users")).toMatchObject({ mode: "upsert", cursorColumn: "updated_at", source: "shop" });
    expect(await tables.task("orders")).toMatchObject({ cursorColumn: "id" });
    const { columns, rows } = await tables.query(
      "SELECT count(*) AS n, max(name) AS last FROM users WHERE id > ?",
      [90],
    );
    expect([columns, rows]).toEqual([["n", "last"], [[10, "user 99"]]]);
    expect(await tables.verify("users")).toMatchObject({ equal: true, missing: 0, extra: 0, different: 0 });
    await tables.stop();
    shop.db.exec("INSERT INTO orders (user_id, total) VALUES (1, 9.5)");
    await tables.start();
    const run = await tables.runTask("orders");
    expect(run.rowsPulled).toBeLessThan(10);
    expect((await tables.query("SELECT count(*) FROM orders")).rows).toEqual([[101]]);
    expect((await tables.runs("orders", 2)).map(({ error }) => error)).toEqual([null, null]);
  });

  it("lets hooks see, change and refuse queries, and tells them time and rows", async () => {
    const shop = openShop(3);
    const seen: unknown[] = [];
    const tables = shop.replication({
      tables: ["users"],
      beforeQuery: ({ sql }) => {
        if (sql.includes("secret")) throw new Error("not for you");
        return sql.includes("$id") ? { sql: sql.replace("$id", "?"), params: [2] } : undefined;
      },
      afterQuery: ({ rows, durationMs, error }) => seen.push([rows, durationMs >= 0, error?.code ?? null]),
    });
    await tables.start();
    await tables.runTask("users");
    expect((await tables.query("SELECT id FROM users WHERE id = $id")).rows).toEqual([[2]]);
    await expect(tables.query("SELECT secret FROM users")).rejects.toMatchObject({
      code: "QUERY_REFUSED",
      message: expect.stringContaining("not for you"),
    });
    await expect(tables.query("SELECT nothing FROM users")).rejects.toMatchObject({ code: "QUERY_FAILED" });
    await waitFor(() => seen.length === 2);
    expect(seen).toEqual([
      [1, true, null],
      [null, true, "QUERY_FAILED"],
    ]);
  });

  it("puts a task that now asks for another copy in the place of the one that was stored", async () => {
    const shop = openShop();
    const before = shop.replication({ tables: ["users"] });
    await before.start();
    await before.runTask("users");
    const { id } = await before.task("users");
    await before.stop();
    const after = shop.replication({ tasks: [{ sourceTable: "users", mode: "append", cursorColumn: "id" }] });
    await after.start();
    const tasks = await after.tasks();
    expect(tasks).toMatchObject([{ targetTable: "users", mode: "append", cursorColumn: "id" }]);
    expect(tasks[0]?.id).not.toBe(id);
    expect((await after.runTask("users")).error).toBeNull();
    expect(await after.verify("users")).toMatchObject({ equal: true });
  });

  it("ends a query at its deadline", async () => {
    const shop = openShop(1);
    const tables = shop.replication({ tables: ["users"], queryTimeoutMs: 500 });
    await tables.start();
    await tables.runTask("users");
    const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    await expect(tables.query(endless)).rejects.toMatchObject({ code: "QUERY_TIMEOUT" });
    expect((await tables.query("SELECT 1")).rows).toEqual([[1]]);
  });

  it("starts though a source is out of reach, and copies when it is back", async () => {
    const shop = openShop(5);
    const sources = { shop: `sqlite:${shop.path}`, later: `sqlite:${join(shop.dir, "later.db")}` };
    const tasks = [
      { source: "shop", sourceTable: "users" },
      { source: "later", sourceTable: "users", targetTable: "more_users" },
    ];
    const tables = shop.replication({ sources, tasks, backOff: { baseMs: 50, capMs: 200 } });
    await tables.start();
    await tables.runTask("users");
    await waitFor(async () => (await tables.task("more_users")).state === "failing");
    expect((await tables.status()).find(({ targetTable }) => targetTable === "more_users")).toMatchObject({
      lastError: { code: expect.stringMatching(/^SOURCE_/) },
    });
    await shop.db.backup(join(shop.dir, "later.db"));
    await waitFor(async () => (await tables.task("more_users")).lastRun?.rowsPulled === 5, { timeoutMs: 10_000 });
    expect((await tables.query("SELECT count(*) FROM more_users")).rows).toEqual([[5]]);
  });

  it("says what is wrong with a database that cannot be opened, and can be stopped all the same", async () => {
    const file = join(tempDir(), "file");
    writeFileSync(file, "");
    const database = join(file, "replica.db");
    const tables = createTableReplication({ database, source: "sqlite:shop.db" });
    await expect(tables.start()).rejects.toMatchObject({ code: "LOCAL_DATABASE", hint: expect.any(String) });
    await tables.stop();
  });

  it("leaves nothing behind that keeps the process alive after stop()", async () => {
    const shop = openShop(20_000);
    await expectProcessEnds("test/tables/facade/stop-child.ts", { args: [shop.dir] });
  });
});
