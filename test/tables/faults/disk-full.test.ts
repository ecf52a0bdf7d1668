import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres.js";
import { mountSmallDisk } from "../../support/small-disk.js";
import { waitFor } from "../../support/wait.js";
import { keepTables } from "./kept-tables.js";
import { createOrders, expectEqual } from "./orders-table.js";

const ROWS = 20_000;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

/** Leaves so many bytes free. */
function fill(folder: string, bytesLeft: number): string {
  const { bavail, bsize } = statfsSync(folder);
  const filler = join(folder, "filler");
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - bytesLeft)));
  return filler;
}

function verifyWhole(file: string): void {
  const database = new Database(file, { readonly: true });
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  database.close();
}

describe("A copy onto a disk that is full", () => {
  it("fails saying so, harms nothing, and goes on by itself when there is room", async (context) => {
    const folder = mountSmallDisk(192);
    if (folder === null) return context.skip("needs the right to mount a tmpfs: run it as root on Linux");
    const source = await postgres.createDatabase();
    await createOrders(source, ROWS);
    await source.query(
      "CREATE TABLE steady (id bigserial PRIMARY KEY, body text); INSERT INTO steady (body) VALUES ('a')",
    );
    const filler = fill(folder, 2_000_000);
    const file = join(folder, "replica.db");
    const { caughtUp, count, errors, failing, pulled, tables } = await keepTables({
      database: file,
      source: source.url,
      tasks: [{ sourceTable: "orders", batchSize: 500 }, { sourceTable: "steady" }],
    });
    expect(await failing("orders", "LOCAL_DATABASE")).toMatch(/disk is full/);
    const hint = errors.find(([name]) => name === "table:orders")?.[1].hint;
    expect(hint).toMatch(/Free space/);
    verifyWhole(file);
    expect(count("orders")).toBeLessThan(ROWS);
    expect(pulled("orders"), "the books say what is here").toBe(count("orders"));
    await source.query("INSERT INTO steady (body) VALUES ('b')");

    rmSync(filler);
    await caughtUp("orders");
    await waitFor(() => count("steady") === 2);
    expect(await expectEqual(source, file)).toBe(ROWS);
    expect(await tables.verify("orders")).toMatchObject({ equal: true });
    expect(pulled("orders")).toBeLessThan(1.3 * ROWS);
    const runs = await tables.runs("orders", 100);
    expect(
      runs.slice(1).filter(({ finishedAt }) => finishedAt === null),
      "runs that never ended",
    ).toEqual([]);
  });
});
