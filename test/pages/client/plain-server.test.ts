import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { startPlainServer } from "../plain/plain-server.js";
import { change, leftBeside, makeFile, rowsOf, syncHere } from "./client-fixture.js";

async function start(bytes?: Uint8Array) {
  const server = await startPlainServer(bytes);
  atEnd(server.close);
  const folder = tempDir();
  const options = { origin: server.httpUrl };
  return {
    server,
    at: (name: string) => join(folder, name),
    push: (file: string) => syncHere("push", file, options),
    pull: (file: string, force = false) => syncHere("pull", file, { ...options, force }),
    /** Pages that came since the last time this was asked. */
    pagesReceived() {
      const count = server.received.filter(({ kind }) => kind.startsWith("page_data")).length;
      return count;
    },
  };
}

describe("a server of the original protocol", () => {
  it.each([1024, 4096, 8192])("takes and gives a database with pages of %i bytes", async (pageSize) => {
    const { server, at, push, pull } = await start();
    const file = makeFile(at("a.db"), { pageSize, rows: 61 });
    const pageCount = statSync(file).size / pageSize;
    const pushed = await push(file);
    expect(pushed).toMatchObject({ changed: true, database: null, generation: null, pageSize, pageCount });
    expect(server.file.bytes.equals(readFileSync(file))).toBe(true);
    expect(server.received.every(({ kind }) => !kind.includes("batch"))).toBe(true);
    const copy = at("b.db");
    expect(await pull(copy)).toMatchObject({ changed: true, database: null, generation: null, pageSize, pageCount });
    expect(readFileSync(copy).equals(readFileSync(file))).toBe(true);
    for (const again of [await pull(copy), await push(copy), await push(file)]) {
      expect(again).toMatchObject({ changed: false, pagesTransferred: 0, pageSize, pageCount });
    }
  });

  it("is sent and sends only what differs, one page at a time", async () => {
    const { server, at, push, pull } = await start();
    const file = makeFile(at("a.db"), { rows: 500 });
    await push(file);
    const copy = at("b.db");
    await pull(copy);
    change(file, "UPDATE item SET mark = 'x' WHERE id = 250");
    const before = server.received.length;
    expect(await push(file)).toMatchObject({ changed: true, pagesTransferred: 2 });
    expect(server.received.slice(before).filter(({ kind }) => kind === "page_data")).toHaveLength(2);
    expect(await pull(copy)).toMatchObject({ changed: true, pagesTransferred: 2 });
    expect(rowsOf(copy)).toEqual(rowsOf(file));
    // Written over by SQLite, which has altered page 1: it counts as the server's all the same.
    expect(await pull(copy)).toMatchObject({ changed: false, pagesTransferred: 0 });
    expect(await push(copy)).toMatchObject({ changed: false, pagesTransferred: 0 });
  });

  it("keeps the tail of what was larger, which the user is told, and which no pull brings here", async () => {
    const { server, at, push, pull } = await start();
    const file = makeFile(at("a.db"), { rows: 400, pragmas: ["auto_vacuum = FULL"] });
    await push(file);
    const full = server.file.bytes.length;
    change(file, "DELETE FROM item WHERE id > 20");
    const pushed = await push(file);
    expect(pushed.notices.join(" ")).toMatch(/never shortens/);
    expect(server.file.bytes.length).toBe(full);
    const copy = at("b.db");
    const pulled = await pull(copy);
    expect(pulled).toMatchObject({ changed: true, pageCount: statSync(file).size / 4096 });
    expect(pulled.notices.join(" ")).toMatch(/left out/);
    expect(statSync(copy).size).toBe(statSync(file).size);
    expect(rowsOf(copy)).toEqual(rowsOf(file));
    expect(await pull(copy)).toMatchObject({ changed: false });
    expect(leftBeside(copy)).toEqual([]);
  });

  it("does not undo what was changed here, unless it is forced", async () => {
    const { at, push, pull } = await start();
    const file = makeFile(at("a.db"), { rows: 100 });
    await push(file);
    const copy = at("b.db");
    await pull(copy);
    change(copy, "UPDATE item SET mark = 'mine' WHERE id = 7");
    await expect(pull(copy)).rejects.toMatchObject({ code: "LOCAL_CHANGES" });
    expect(await pull(copy, true)).toMatchObject({ changed: true });
    expect(rowsOf(copy)).toEqual(rowsOf(file));
  });

  it("that does the opposite was given a token for that", async () => {
    const { server, at, push } = await start();
    const file = makeFile(at("a.db"), { rows: 100 });
    await push(file);
    const before = Buffer.from(server.file.bytes);
    const other = makeFile(at("b.db"), { rows: 90 });
    const options = { origin: server.httpUrl, force: true };
    for (const [direction, token] of [
      ["pull", "push"],
      ["push", "pull"],
    ] as const) {
      const message = expect.stringContaining(`for a ${token}`);
      const wrong = syncHere(direction, other, { ...options, token });
      await expect(wrong).rejects.toMatchObject({ code: "INVALID_TOKEN", message });
    }
    expect(rowsOf(other)).toHaveLength(90);
    expect(server.file.bytes.equals(before)).toBe(true);
  });

  it("that has nothing empties no file, and one that has garbage gives none", async () => {
    const empty = await start();
    const file = makeFile(empty.at("a.db"), { rows: 3 });
    await expect(empty.pull(file)).rejects.toMatchObject({ code: "LOCAL_CHANGES" });
    const garbage = await start(Buffer.alloc(20_000, "garbage"));
    const other = makeFile(garbage.at("a.db"), { rows: 3 });
    await expect(garbage.pull(other)).rejects.toMatchObject({ code: "INTEGRITY_FAILED" });
    expect(rowsOf(other)).toHaveLength(3);
    expect(leftBeside(other)).toEqual([]);
  });
});
