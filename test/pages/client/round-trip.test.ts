import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { PageSyncProgress } from "../../../src/pages/page-client.js";
import { atEnd } from "../../support/at-end.js";
import { change, leftBeside, makeFile, rowsOf, startFixture } from "./client-fixture.js";

describe("a page client", () => {
  it("pushes a database, which another pulls, byte for byte", async () => {
    const { folder, client, server, stored } = await startFixture();
    const file = makeFile(join(folder, "a.db"));
    const bytes = readFileSync(file);
    const pushed = await client.push({ file, token: server.token("push") });
    expect(pushed).toMatchObject({ changed: true, database: "d-1", generation: 1, pageSize: 4096, notices: [] });
    expect(pushed.pageCount).toBe(bytes.length / 4096);
    expect(pushed.pagesTransferred).toBe(pushed.pageCount);
    expect(pushed.bytesSent).toBeGreaterThan(bytes.length);
    expect((await stored()).equals(bytes)).toBe(true);

    const copy = join(folder, "b.db");
    const pulled = await client.pull({ file: copy, token: server.token("pull") });
    expect(pulled).toMatchObject({ changed: true, database: "d-1", generation: 1, pageCount: pushed.pageCount });
    expect(pulled.pagesTransferred).toBe(pushed.pageCount);
    expect(pulled.bytesReceived).toBeGreaterThan(bytes.length);
    expect(readFileSync(copy).equals(bytes)).toBe(true);
    for (const one of [file, copy]) expect(leftBeside(one)).toEqual([]);
  });

  it("moves no page where nothing has changed", async () => {
    const { folder, push, pull } = await startFixture();
    const file = makeFile(join(folder, "a.db"), { rows: 2_000 });
    await push(file);
    const copy = join(folder, "b.db");
    await pull(copy);
    for (const result of [await push(file), await pull(copy), await push(copy), await pull(file)]) {
      expect(result).toMatchObject({ changed: false, generation: 1, pagesTransferred: 0 });
      // A hello and one hash each way, most of it the HTTP of the upgrade.
      expect(result.bytesSent + result.bytesReceived).toBeLessThan(1_500);
    }
  });

  it("moves only the pages of what has changed, into a file that is in use", async () => {
    const { folder, push, client, server } = await startFixture();
    const file = makeFile(join(folder, "a.db"), { rows: 2_000 });
    await push(file);
    const copy = join(folder, "b.db");
    const token = server.token("pull");
    await client.pull({ file: copy, token });
    const reader = new Database(copy);
    atEnd(() => reader.close());
    expect(reader.prepare("SELECT mark FROM item WHERE id = 1000").pluck().get()).toBe("");

    change(file, "UPDATE item SET mark = 'x' WHERE id = 1000");
    const pushed = await push(file);
    expect(pushed).toMatchObject({ changed: true, generation: 2, pagesTransferred: 2 });
    expect(pushed.bytesSent + pushed.bytesReceived).toBeLessThan(20_000);
    const pulled = await client.pull({ file: copy, token });
    expect(pulled).toMatchObject({ changed: true, generation: 2, pagesTransferred: 2 });
    expect(reader.prepare("SELECT mark FROM item WHERE id = 1000").pluck().get()).toBe("x");
    // The file is not the server's to the byte any more: SQLite has counted its own write on page 1. It is known as unchanged all the same.
    expect(await client.pull({ file: copy, token })).toMatchObject({ changed: false, pagesTransferred: 0 });
    expect(await client.push({ file: copy, token: server.token("push") })).toMatchObject({
      changed: false,
      generation: 2,
    });
  });

  it.each([512, 1024, 2048, 8192, 16384, 32768, 65536])("syncs pages of %i bytes", async (pageSize) => {
    const { folder, push, pull, stored } = await startFixture();
    const file = makeFile(join(folder, "a.db"), { pageSize, rows: 100 });
    expect(await push(file)).toMatchObject({ pageSize, pageCount: statSync(file).size / pageSize });
    const copy = join(folder, "b.db");
    expect(await pull(copy)).toMatchObject({ changed: true, pageSize });
    change(copy, "UPDATE item SET mark = 'y' WHERE id = 50");
    const pushed = await push(copy);
    expect(pushed).toMatchObject({ changed: true, generation: 2 });
    expect(pushed.pagesTransferred).toBeLessThanOrEqual(4);
    expect((await stored()).equals(readFileSync(copy))).toBe(true);
    expect(await pull(file)).toMatchObject({ changed: true, generation: 2 });
    expect(rowsOf(file)).toEqual(rowsOf(copy));
  });

  it("replaces a file of another page size", async () => {
    const { folder, push, pull } = await startFixture();
    const file = makeFile(join(folder, "a.db"), { pageSize: 1024 });
    await push(file);
    const copy = makeFile(join(folder, "b.db"), { pageSize: 8192, rows: 10 });
    expect(await pull(copy)).toMatchObject({ changed: true, pageSize: 1024 });
    expect(rowsOf(copy)).toEqual(rowsOf(file));
    const back = makeFile(join(folder, "c.db"), { pageSize: 65536, rows: 3 });
    expect(await push(back, { force: true })).toMatchObject({ generation: 2, pageSize: 65536 });
    expect(await pull(copy)).toMatchObject({ changed: true, pageSize: 65536 });
    expect(rowsOf(copy)).toEqual(rowsOf(back));
  });

  it("shortens what a database has become shorter than", async () => {
    const { folder, push, pull, stored } = await startFixture();
    const file = makeFile(join(folder, "a.db"), { rows: 400, pragmas: ["auto_vacuum = FULL"] });
    await push(file);
    const copy = join(folder, "b.db");
    await pull(copy);
    const before = statSync(copy).size;
    change(file, "DELETE FROM item WHERE id > 20");
    expect(statSync(file).size).toBeLessThan(before / 4);
    const pushed = await push(file);
    expect(pushed.pageCount * 4096).toBe(statSync(file).size);
    expect((await stored()).equals(readFileSync(file))).toBe(true);
    await pull(copy);
    expect(statSync(copy).size).toBe(statSync(file).size);
    expect(rowsOf(copy)).toEqual(rowsOf(file));
  });

  it("tells how far it is, phase by phase", async () => {
    const { folder, push, pull } = await startFixture();
    const file = makeFile(join(folder, "a.db"), { rows: 3_000 });
    const told: PageSyncProgress[] = [];
    const { pageCount } = await push(file, { tell: (progress) => told.push(progress) });
    expect([...new Set(told.map(({ phase }) => phase))]).toEqual(["reading", "comparing", "transferring"]);
    expect(told.at(-1)).toMatchObject({ pagesDone: pageCount, pagesTotal: pageCount, pageSize: 4096 });
    expect(told.at(-1)?.bytesSent).toBeGreaterThan(pageCount * 4096);
    told.length = 0;
    await pull(join(folder, "b.db"), { check: true, tell: (progress) => told.push(progress) });
    expect([...new Set(told.map(({ phase }) => phase))].slice(0, 2)).toEqual(["comparing", "transferring"]);
    expect(told.some(({ phase }) => phase === "checking")).toBe(true);
  });
});
