import { createHash } from "node:crypto";
import { openSync, readdirSync, statSync, writeFileSync, writeSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import Database from "better-sqlite3";
import { describe, expect, it, vi } from "vitest";
import { createExports, type ExportsOptions } from "../../../src/exports/index.js";
import { atEnd } from "../../support/at-end.js";
import { inCi } from "../../support/size.js";
import { waitFor } from "../../support/wait.js";
import { hasReaders, makeShop, type ShopFile } from "../facade/shop-file.js";
import { sqliteShell } from "../formats/sqlite-shell.js";
import { type ExportHost, startExportHost, TOKEN } from "./export-host.js";

async function serve(shop: ShopFile, options: Partial<ExportsOptions> = {}): Promise<ExportHost> {
  const exports = createExports({ database: shop.path, dir: join(shop.dir, "exports"), minFreeBytes: 0, ...options });
  atEnd(() => exports.stop());
  await exports.start();
  return await startExportHost(exports);
}

/** The answer, before any of its body is read. */
function get({ host }: ExportHost, path: string, coding = "identity"): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${TOKEN}`, "accept-encoding": coding };
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: host.port, path, headers }, (answer) => {
      answer.on("error", () => {});
      resolve(answer);
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** Threads of this process; it has them in a folder on Linux alone. */
function threads(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/task").length : 0;
}

const CODINGS = ["gzip", "identity"].slice(0, inCi ? 2 : 1);

describe("the routes of exports, over a real database", () => {
  it.each(["gzip", "identity"])("stream a dump (%s) that restores to an equal database", async (coding) => {
    const shop = makeShop(200);
    const { call } = await serve(shop);
    const { headers, bytes } = await call("GET", "/export/dump", { "accept-encoding": coding });
    const sql = headers.get("content-encoding") === "gzip" ? gunzipSync(bytes) : bytes;
    const file = join(shop.dir, "dump.sql");
    writeFileSync(file, sql);
    const restored = join(shop.dir, "restored.db");
    sqliteShell(restored, file);
    const all = "SELECT id, hex(body) FROM orders ORDER BY id";
    const query = (path: string) => sqliteShell(path, undefined, [all]);
    expect(query(restored)).toBe(query(shop.path));
    expect(sqliteShell(restored, undefined, ["SELECT name FROM names; PRAGMA integrity_check"])).toBe(
      "Ada\nGrace\n\nok\n",
    );
  });

  it("stream one table, whatever it is called, and no view", async () => {
    const { call } = await serve(makeShop(0));
    expect((await call("GET", "/export/csv/users")).bytes.toString()).toBe(
      '"id","name"\r\n1,"Ada"\r\n2,"Grace"\r\n3,\r\n',
    );
    expect(JSON.parse((await call("GET", "/export/json/USERS")).bytes.toString())).toHaveLength(3);
    const odd = await call("GET", `/export/json/${encodeURIComponent("a/b.c ü")}`);
    expect(JSON.parse(odd.bytes.toString())).toEqual([{ x: 1 }]);
    for (const name of [
      "names",
      "nobody",
      "sqlite_schema",
      "a",
      "..%2f..%2fshop.db",
      "%00",
      "users%00",
      "x".repeat(4_000),
    ])
      for (const format of ["json", "csv"])
        expect([name, (await call("GET", `/export/${format}/${name}`)).status]).toEqual([name, 404]);
    expect((await call("GET", "/export/dump?format=json&table=nobody")).json.code).toBe("TABLE_MISSING");
    expect((await call("GET", "/export/csv/names")).json.error).toMatch(/^table: .* but a view\. Export the tables/);
  });

  it.each(CODINGS)("end the work of a client that goes away (%s)", async (coding) => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    atEnd(() => told.mockRestore());
    const shop = makeShop(4_000);
    const host = await serve(shop);
    await host.call("GET", "/export/csv/users", { "accept-encoding": coding });
    await waitFor(() => !hasReaders(shop));
    const before = threads();
    for (const path of ["/export/dump", "/export/json/orders"]) {
      const answer = await get(host, path, coding);
      await new Promise((resolve) => answer.once("readable", resolve));
      expect(hasReaders(shop)).toBe(true);
      answer.destroy();
      await waitFor(() => !hasReaders(shop));
      await waitFor(() => threads() <= before);
    }
    expect(told).not.toHaveBeenCalled();
  });

  it.each(CODINGS)("break the connection where the file turns out to be damaged (%s)", async (coding) => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    atEnd(() => told.mockRestore());
    const shop = makeShop(4_000);
    shop.db.pragma("wal_checkpoint(TRUNCATE)");
    shop.db.close();
    const file = openSync(shop.path, "r+");
    const { size } = statSync(shop.path);
    for (let at = Math.floor(size / 2 / 4_096) * 4_096; at < size; at += 4_096)
      writeSync(file, Buffer.alloc(4_096, 0xff), 0, 4_096, at);
    const host = await serve(shop);
    const answer = await get(host, "/export/json/orders", coding);
    expect(answer.statusCode).toBe(200);
    let bytes = 0;
    answer.on("data", (piece: Buffer) => {
      bytes += piece.length;
    });
    await new Promise((resolve) => answer.once("close", resolve));
    expect([bytes > 1_000_000, answer.complete]).toEqual([true, false]);
    expect((await host.call("GET", "/export/csv/users")).status).toBe(200);
  });

  it("answer 507 where the copy of a database without WAL would take more room than it may", async () => {
    const shop = makeShop(100);
    shop.db.pragma("journal_mode = DELETE");
    const { call } = await serve(shop, { maxDiskBytes: 100_000 });
    for (const path of ["/export/dump", "/export/csv/users"])
      expect(await call("GET", path)).toMatchObject({ status: 507, json: { code: "DISK_LIMIT" } });
    expect(readdirSync(join(shop.dir, "exports", "streams"))).toEqual([]);
    const { json } = await call("POST", "/export/dump");
    const failed = await waitFor(async () => {
      const job = (await call("GET", `/export/dump/${json.id}`)).json;
      return job.state === "failed" && job;
    });
    expect(failed.error.code).toBe("DISK_LIMIT");
    expect((await call("GET", `/export/dump/${json.id}/download`)).json.code).toBe("JOB_FAILED");
  });

  it("take a job, show it, send its file in pieces after a break, and remove it", async () => {
    const shop = makeShop(1_000);
    const { call } = await serve(shop);
    const made = await call("POST", "/export/dump", {}, { format: "sql" });
    expect(made.status).toBe(202);
    const path = made.headers.get("location") ?? "";
    const early = await call("GET", `${path}/download`);
    expect([200, 409]).toContain(early.status);
    const job = await waitFor(
      async () => {
        const { json } = await call("GET", path);
        return json.state === "completed" && json;
      },
      { timeoutMs: 15_000 },
    );
    expect(job).toMatchObject({ error: null, finishedAt: expect.stringMatching(/Z$/), callback: null });
    const first = await call("GET", `${path}/download`, { range: "bytes=0-4999999" });
    const etag = first.headers.get("etag") ?? "";
    expect([first.status, etag]).toEqual([206, `"${job.artifact.sha256}"`]);
    const rest = await call("GET", `${path}/download`, { range: `bytes=${first.bytes.length}-`, "if-range": etag });
    const file = Buffer.concat([first.bytes, rest.bytes]);
    expect([rest.status, file.length]).toEqual([206, job.artifact.bytes]);
    expect(createHash("sha256").update(file).digest("hex")).toBe(job.artifact.sha256);
    expect((await call("GET", `${path}/download`, { "if-none-match": etag })).status).toBe(304);
    expect((await call("GET", "/export/jobs")).json.jobs).toEqual([job]);
    expect((await call("DELETE", path)).status).toBe(204);
    for (const method of ["GET", "DELETE"]) expect((await call(method, path)).status).toBe(404);
    expect(readdirSync(join(shop.dir, "exports", "files"))).toEqual([]);
    // The exported database is as it was: no table of ours, and no job in it.
    const names = new Database(shop.path, { readonly: true }).prepare("SELECT name FROM sqlite_schema").pluck().all();
    expect(names).toEqual(["users", "orders", "names", "ticks", "a/b.c ü"]);
  });

  it("refuse a job of what is not there, and cancel one under way", async () => {
    const shop = makeShop(8_000);
    const { call } = await serve(shop);
    for (const [body, code] of [
      [{ tables: ["nobody"] }, "TABLE_MISSING"],
      [{ tables: ["names"] }, "TABLE_MISSING"],
      [{ tables: ["../../etc/passwd"] }, "TABLE_MISSING"],
    ] as const)
      expect(await call("POST", "/export/dump", {}, body)).toMatchObject({
        status: 400,
        json: { code, error: expect.stringMatching(/^tables: /) },
      });
    const { headers } = await call("POST", "/export/dump");
    const path = headers.get("location") ?? "";
    await waitFor(async () => (await call("GET", path)).json.state !== "queued");
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("GET", "/export/jobs")).json).toEqual({ jobs: [] });
    expect(readdirSync(join(shop.dir, "exports", "work"))).toEqual([]);
  });
});
