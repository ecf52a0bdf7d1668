import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createExports, type ExportJob, type ExportsOptions } from "../../../src/exports/index.js";
import { atEnd } from "../../support/at-end.js";
import { expectProcessEnds } from "../../support/open-handles.js";
import { waitFor } from "../../support/wait.js";
import { hasReaders, makeShop, type ShopFile } from "./shop-file.js";

async function startExports(shop: ShopFile, options: Partial<ExportsOptions> = {}) {
  const exports = createExports({ database: shop.path, dir: join(shop.dir, "exports"), minFreeBytes: 0, ...options });
  atEnd(() => exports.stop());
  await exports.start();
  return exports;
}

describe("createExports", () => {
  it("opens nothing before start", async () => {
    const shop = makeShop(0);
    createExports({ database: shop.path, dir: join(shop.dir, "exports") });
    expect(existsSync(join(shop.dir, "exports"))).toBe(false);
  });

  it("finishes a job, tells of it, gives its file whole and in pieces, and forgets it", async () => {
    const shop = makeShop(500);
    const told: ExportJob[] = [];
    const exports = await startExports(shop, { onProgress: (job) => void told.push(job) });
    const { id } = await exports.startJob({ format: "ndjson", tables: ["orders"] });
    const job = await exports.finished(id);
    expect(job).toMatchObject({ state: "completed", progress: { rowsDone: 500, tablesDone: 1, tablesTotal: 1 } });
    await waitFor(() => told.at(-1)?.state === "completed");
    const { body, bytes, fileName } = await exports.download(id);
    const file = Buffer.from(await new Response(body).arrayBuffer());
    expect(fileName).toBe(`orders-${job.createdAt.slice(0, 10)}.ndjson`);
    expect([file.length, createHash("sha256").update(file).digest("hex")]).toEqual([bytes, job.artifact?.sha256]);
    const piece = await exports.download(id, { range: { start: 1_000, end: 2_000_000 } });
    expect(Buffer.from(await new Response(piece.body).arrayBuffer()).equals(file.subarray(1_000, 2_000_001))).toBe(
      true,
    );
    await exports.removeJob(id);
    await expect(exports.download(id)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
    expect(readdirSync(join(shop.dir, "exports", "files"))).toEqual([]);
  });

  it("streams what was there when it began, and lets go of the database when it ends", async () => {
    const shop = makeShop(3_000);
    const exports = await startExports(shop);
    const stream = await exports.stream({ format: "ndjson", table: "orders" });
    expect(hasReaders(shop)).toBe(true);
    shop.db.exec("DELETE FROM orders WHERE id > 10");
    const text = await new Response(stream.body).text();
    expect(text.split("\n").length - 1).toBe(3_000);
    await waitFor(() => !hasReaders(shop));
    const cancelled = await exports.stream();
    expect(hasReaders(shop)).toBe(true);
    await cancelled.body.cancel();
    expect(hasReaders(shop)).toBe(false);
  });

  it("lets go of the database where a reader stalls, and where exports stop", async () => {
    const shop = makeShop(3_000);
    const exports = await startExports(shop, { streamStallSeconds: 1 });
    const stalled = (await exports.stream()).body.getReader();
    await stalled.read();
    await waitFor(() => !hasReaders(shop));
    await expect(stalled.read()).rejects.toMatchObject({ code: "STOPPED" });
    await exports.stream();
    expect(hasReaders(shop)).toBe(true);
    await exports.stop();
    expect(hasReaders(shop)).toBe(false);
  });

  it("streams a database without WAL from a copy, and leaves none behind", async () => {
    const shop = makeShop(50);
    shop.db.pragma("journal_mode = DELETE");
    const exports = await startExports(shop);
    const before = await exports.stream({ format: "csv", table: "users" });
    shop.db.exec("DELETE FROM users");
    expect(await new Response(before.body).text()).toBe('"id","name"\r\n1,"Ada"\r\n2,"Grace"\r\n3,\r\n');
    await waitFor(() => readdirSync(join(shop.dir, "exports", "streams")).length === 0);
  });

  it("counts what lies in the folder already where a stream needs a copy", async () => {
    const shop = makeShop(2_000);
    shop.db.pragma("journal_mode = DELETE");
    const { size } = statSync(shop.path);
    const exports = await startExports(shop, { maxDiskBytes: size * 2 });
    await (await exports.stream()).body.cancel();
    writeFileSync(join(shop.dir, "exports", "files-of-others"), Buffer.alloc(size * 2));
    await expect(exports.stream()).rejects.toMatchObject({ code: "DISK_LIMIT", hint: expect.any(String) });
    expect(readdirSync(join(shop.dir, "exports", "streams"))).toEqual([]);
  });

  it("says before the first byte what cannot be exported", async () => {
    const shop = makeShop(0);
    const exports = await startExports(shop, { maxStreams: 1 });
    for (const [selection, code] of [
      [{ table: "nobody" }, "TABLE_MISSING"],
      [{ table: "names" }, "TABLE_MISSING"],
      [{ tables: ["users", "a\0b"] }, "TABLE_MISSING"],
      [{ format: "csv" }, "INVALID_EXPORT"],
    ] as const)
      await expect(exports.stream(selection)).rejects.toMatchObject({ code, hint: expect.any(String) });
    for (const tables of [["nobody"], ["names"]])
      await expect(exports.startJob({ tables })).rejects.toMatchObject({ code: "TABLE_MISSING" });
    expect(await exports.jobs()).toEqual([]);
  });

  it("refuses a folder that another has, and a database that is not there", async () => {
    const shop = makeShop(0);
    await startExports(shop);
    const other = createExports({ database: shop.path, dir: join(shop.dir, "exports") });
    await expect(other.start()).rejects.toMatchObject({ code: "LOCAL_DATABASE", hint: expect.any(String) });
    const none = createExports({ database: join(shop.dir, "none.db"), dir: join(shop.dir, "other") });
    atEnd(() => none.stop());
    const ask = async () => {
      await none.start();
      await none.stream();
    };
    await expect(ask()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    expect(existsSync(join(shop.dir, "none.db"))).toBe(false);
  });

  it("leaves nothing behind that keeps the process alive after stop(), whatever was under way", async () => {
    const shop = makeShop(2_000);
    await expectProcessEnds("test/exports/facade/stop-child.ts", { args: [shop.dir] });
  });
});
