import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createPageHasher } from "../../../src/pages/hashes/page-hasher.js";
import { readSyncRecord, writeSyncRecord } from "../../../src/pages/target/sync-record.js";
import { buildSnippet } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { change, leftBeside, makeFile, rowsOf, startFixture } from "./client-fixture.js";

const MARKED = "SELECT mark FROM item WHERE id = 7";

describe("a push", () => {
  it("after another one is refused with both generations named, and forced on request", async () => {
    const { folder, push, pull, stored } = await startFixture();
    const one = makeFile(join(folder, "one.db"));
    await push(one);
    const two = join(folder, "two.db");
    await pull(two);
    change(one, "UPDATE item SET mark = 'one' WHERE id = 7");
    await push(one);
    change(two, "UPDATE item SET mark = 'two' WHERE id = 7");
    const before = await stored();
    const error = await push(two).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "GENERATION_CONFLICT", retryable: false });
    expect(String(error)).toMatch(/generation 1\b.*generation 2\b/);
    expect((await stored()).equals(before)).toBe(true);
    expect(await push(two, { force: true })).toMatchObject({ changed: true, generation: 3 });
    change(two, "UPDATE item SET mark = 'again' WHERE id = 7");
    expect(await push(two)).toMatchObject({ generation: 4 });
  });

  it("of a file that was never synced is refused where something else is stored", async () => {
    const { folder, push } = await startFixture();
    await push(makeFile(join(folder, "one.db")));
    await expect(push(makeFile(join(folder, "two.db")))).rejects.toMatchObject({ code: "GENERATION_CONFLICT" });
  });

  it("of what is stored already takes over its generation", async () => {
    const { folder, push, stored } = await startFixture();
    const one = makeFile(join(folder, "one.db"));
    await push(one);
    const same = join(folder, "same.db");
    writeFileSync(same, await stored());
    expect(await push(same)).toMatchObject({ changed: false, generation: 1, pagesTransferred: 0 });
    change(same, "UPDATE item SET mark = 'same' WHERE id = 7");
    expect(await push(same)).toMatchObject({ changed: true, generation: 2 });
  });

  it("goes to each database that is named, from the generation that it came from", async () => {
    const { folder, push } = await startFixture();
    const one = makeFile(join(folder, "one.db"));
    await push(one);
    change(one, "UPDATE item SET mark = 'x' WHERE id = 1");
    await push(one);
    // Another database: its first push, whatever was pushed elsewhere.
    expect(await push(one, { database: "d-2" })).toMatchObject({ changed: true, database: "d-2", generation: 1 });
  });

  it("whose answer was lost is known again, and what was changed since is pushed on top of it", async () => {
    let afterCommit = () => {};
    const { folder, server, push, pull } = await startFixture({ parts: { onCommit: () => afterCommit() } });
    const one = makeFile(join(folder, "one.db"));
    await push(one);
    const proxy = await startTcpProxy(server.port);
    const loseAnswer = async () => {
      afterCommit = () => proxy.cut();
      await expect(push(one, { origin: proxy.origin })).rejects.toMatchObject({
        code: "SYNC_UNREACHABLE",
        retryable: true,
      });
      afterCommit = () => {};
    };
    change(one, "UPDATE item SET mark = 'lost' WHERE id = 7");
    await loseAnswer();
    expect(await push(one)).toMatchObject({ changed: false, generation: 2 });
    change(one, "UPDATE item SET mark = 'lost again' WHERE id = 7");
    await loseAnswer();
    change(one, "UPDATE item SET mark = 'later' WHERE id = 7");
    expect(await push(one)).toMatchObject({ changed: true, generation: 4 });
    const two = join(folder, "two.db");
    await pull(two);
    expect(rowsOf(two)).toEqual(rowsOf(one));
  });

  it("that broke off leaves what was stored as it was, and sends the second time only what is missing", async () => {
    const { folder, server, push, stored } = await startFixture();
    const one = makeFile(join(folder, "one.db"), { rows: 12_000 });
    const proxy = await startTcpProxy(server.port);
    // Pages are asked for as others come, with 3 bytes each and 1,024 at a time: by then hundreds have come.
    proxy.resetAfter(5_000);
    const broken = push(one, { origin: proxy.origin });
    await expect(broken).rejects.toMatchObject({ code: "SYNC_UNREACHABLE", retryable: true });
    expect(await server.store.file("d-1")).toBeNull();
    const second = await push(one);
    expect(second).toMatchObject({ changed: true, generation: 1 });
    expect(second.pagesTransferred).toBeGreaterThan(0);
    expect(second.pagesTransferred).toBeLessThan(second.pageCount - 200);
    expect((await stored()).length).toBe(second.pageCount * 4096);
    expect(leftBeside(one)).toEqual([]);
  });
});

describe("a pull", () => {
  it("does not undo what was changed here, unless it is forced", async () => {
    const { folder, push, pull } = await startFixture();
    const one = makeFile(join(folder, "one.db"));
    await push(one);
    const two = join(folder, "two.db");
    await pull(two);
    change(two, "UPDATE item SET mark = 'mine' WHERE id = 7");
    const error = await pull(two).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "LOCAL_CHANGES" });
    change(one, "UPDATE item SET mark = 'theirs' WHERE id = 7");
    await push(one);
    await expect(pull(two)).rejects.toMatchObject({ code: "LOCAL_CHANGES" });
    expect(read(two)).toBe("mine");
    expect(await pull(two, { force: true })).toMatchObject({ changed: true, generation: 2 });
    expect(read(two)).toBe("theirs");
    expect(leftBeside(two)).toEqual([]);
  });

  it("does not undo what was changed after a first pull that was cut off behind its commit", async () => {
    const { folder, push, pull } = await startFixture();
    const one = makeFile(join(folder, "one.db"));
    await push(one);
    for (const two of [join(folder, "two.db"), makeFile(join(folder, "three.db"), { rows: 5 })]) {
      const isThere = existsSync(two);
      await pull(two);
      const { synced } = (await readSyncRecord(two)).record;
      if (synced === null) throw new Error("Nothing was remembered");
      const { fingerprint, ...written } = synced;
      const over = isThere ? new Uint8Array(32).fill(7) : null;
      const cutOff = { synced: null, pending: null, replacing: { ...written, over } };
      await writeSyncRecord(two, cutOff);
      change(two, "UPDATE item SET mark = 'mine' WHERE id = 7");
      await expect(pull(two)).rejects.toMatchObject({ code: "LOCAL_CHANGES" });
      expect(read(two)).toBe("mine");
    }
  });

  it("does not undo what may have been changed where the record beside the file is damaged", async () => {
    const { folder, push, pull } = await startFixture();
    const one = makeFile(join(folder, "one.db"));
    await push(one);
    const two = join(folder, "two.db");
    await pull(two);
    writeFileSync(`${two}-replica.json`, "{");
    expect(await pull(two)).toMatchObject({ changed: false, notices: [expect.stringMatching(/damaged/)] });
    change(two, "UPDATE item SET mark = 'mine' WHERE id = 7");
    writeFileSync(`${two}-replica.json`, "{");
    await expect(pull(two)).rejects.toMatchObject({
      code: "LOCAL_CHANGES",
      message: expect.stringMatching(/replica.json/),
    });
    expect(read(two)).toBe("mine");
    expect(await pull(two, { force: true })).toMatchObject({ changed: true });
    expect(read(two)).toBe("");
  });

  it("goes on after one that was cut off before its commit, over a file that was never synced", async () => {
    const { folder, push, pull } = await startFixture();
    await push(makeFile(join(folder, "one.db")));
    const two = makeFile(join(folder, "two.db"), { rows: 5 });
    const hasher = await createPageHasher();
    const over = hasher.combined(hasher.hashes(readFileSync(two), 4096));
    await pull(join(folder, "three.db"));
    const { synced } = (await readSyncRecord(join(folder, "three.db"))).record;
    if (synced === null) throw new Error("Nothing was remembered");
    await writeSyncRecord(two, { synced: null, pending: null, replacing: { ...synced, over } });
    expect(await pull(two)).toMatchObject({ changed: true });
    expect(rowsOf(two)).toHaveLength(300);
  });

  it("goes on where a program has put the file in WAL mode, which is no change of what is in it", async () => {
    const { folder, push, pull } = await startFixture();
    const one = makeFile(join(folder, "one.db"));
    await push(one);
    const two = join(folder, "two.db");
    await pull(two);
    change(two, "PRAGMA journal_mode = WAL; UPDATE item SET mark = mark");
    expect(await pull(two)).toMatchObject({ changed: false });
    change(one, "UPDATE item SET mark = 'theirs' WHERE id = 7");
    await push(one);
    expect(await pull(two)).toMatchObject({ changed: true, generation: 2 });
    expect(read(two)).toBe("theirs");
    change(two, "ANALYZE");
    await expect(pull(two)).rejects.toMatchObject({ hint: expect.stringMatching(/--force.*force: true.*read-only/) });
  });

  it("of what was changed here in just the same way takes nothing and knows the generation", async () => {
    const { folder, push, pull, stored } = await startFixture();
    const one = makeFile(join(folder, "one.db"));
    await push(one);
    change(one, "UPDATE item SET mark = 'x' WHERE id = 7");
    await push(one);
    const two = join(folder, "two.db");
    await pull(two);
    change(two, "UPDATE item SET mark = 'y' WHERE id = 7");
    await push(two);
    expect((await stored()).length).toBeGreaterThan(0);
    expect(await pull(two)).toMatchObject({ changed: false, generation: 3 });
  });

  it("gives up where somebody writes to the file meanwhile, and loses nothing", async () => {
    const { folder, push, client, server } = await startFixture();
    const one = makeFile(join(folder, "one.db"), { rows: 2_000 });
    await push(one);
    const two = join(folder, "two.db");
    const token = server.token("pull");
    await client.pull({ file: two, token });
    change(one, "UPDATE item SET mark = 'theirs' WHERE id = 7");
    await push(one);
    const writer = spawnNode(
      await buildSnippet(`
        import Database from "better-sqlite3";
        const database = new Database(process.argv[2], { timeout: 5000 });
        let n = 0;
        setInterval(() => {
          database.prepare("UPDATE item SET mark = ? WHERE id = 8").run(String(n++));
          if (n === 1) console.log("writing");
        }, 1);
      `),
      [two],
    );
    await writer.waitForLine(/writing/);
    await expect(client.pull({ file: two, token })).rejects.toMatchObject({ code: "LOCAL_CHANGES" });
    await writer.kill();
    expect(read(two)).toBe("");
    expect(leftBeside(two).filter((name) => !name.endsWith("-journal"))).toEqual([]);
  });

  it("that broke off leaves the file as it was, and nothing beside it", async () => {
    const { folder, server, push, pull } = await startFixture();
    const one = makeFile(join(folder, "one.db"), { rows: 8_000 });
    await push(one);
    const two = makeFile(join(folder, "two.db"), { rows: 5 });
    const proxy = await startTcpProxy(server.port);
    proxy.resetAfter(2_000_000);
    await expect(pull(two, { origin: proxy.origin })).rejects.toMatchObject({
      code: "SYNC_UNREACHABLE",
      retryable: true,
    });
    expect(rowsOf(two)).toHaveLength(5);
    expect(leftBeside(two)).toEqual([]);
  });
});

function read(path: string): unknown {
  // A writer that was killed may have left a transaction that has to be rolled back first.
  const database = new Database(path, { fileMustExist: true });
  try {
    return database.prepare(MARKED).pluck().get();
  } finally {
    database.close();
  }
}
