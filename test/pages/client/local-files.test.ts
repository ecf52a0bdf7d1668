import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { atEnd } from "../../support/at-end.js";
import { buildOnce, buildSnippet } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { size } from "../../support/size.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { waitFor } from "../../support/wait.js";
import { change, leftBeside, makeFile, rowsOf, startFixture } from "./client-fixture.js";

const ROUNDS = size({ test: 2, ci: 5 });

describe("a local file", () => {
  it("is pushed as of one moment, its log included, while another process writes to it", async () => {
    const { folder, client, server, stored } = await startFixture();
    const file = makeFile(join(folder, "a.db"), { rows: 500, pragmas: ["journal_mode = WAL"] });
    const writer = spawnNode(
      await buildSnippet(`
        import Database from "better-sqlite3";
        const database = new Database(process.argv[2]);
        const both = database.transaction((n) => {
          database.prepare("UPDATE item SET mark = ? WHERE id = 1").run(String(n));
          database.prepare("UPDATE item SET mark = ? WHERE id = 500").run(String(n));
        });
        let n = 0;
        setInterval(() => { both(n++); if (n === 1) console.log("writing"); }, 1);
      `),
      [file],
    );
    await writer.waitForLine(/writing/);
    const seen: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await client.push({ file, token: server.token("push") });
      const copy = join(folder, `copy-${round}.db`);
      writeFileSync(copy, await stored());
      const rows = rowsOf(copy) as [number, string][];
      expect(rows[0]?.[1]).toBe(rows[499]?.[1]);
      seen.push(rows[0]?.[1] ?? "");
    }
    await writer.kill();
    expect(new Set(seen).size).toBe(ROUNDS);
    // What stood in its log alone is in what was pushed, and its locks are as they were.
    change(file, "UPDATE item SET mark = 'still mine' WHERE id = 2");
  });

  it("that is not there, a folder, no database or empty is not pushed", async () => {
    const { folder, push } = await startFixture();
    const at = (name: string) => join(folder, name);
    mkdirSync(at("folder"));
    writeFileSync(at("garbage"), Buffer.alloc(8_192, "garbage"));
    writeFileSync(at("empty"), "");
    writeFileSync(at("short"), readFileSync(makeFile(at("whole.db"))).subarray(0, 4_000));
    const refused = async (name: string) => {
      const error = await push(at(name)).catch((thrown: unknown) => thrown);
      expect(String(error)).toContain(name);
      return (error as { code?: string }).code;
    };
    expect(await refused("missing")).toBe("LOCAL_DATABASE");
    expect(await refused("folder")).toBe("LOCAL_DATABASE");
    expect(await refused("garbage")).toBe("NOT_A_DATABASE");
    expect(await refused("empty")).toBe("NOT_A_DATABASE");
    expect(await refused("short")).toBe("NOT_A_DATABASE");
    expect(await refused("no/such/folder")).toBe("LOCAL_DATABASE");
    expect(existsSync(at("missing-replica-lock"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it.skipIf(process.platform === "win32")(
    "that may only be read is pushed, and what cannot be remembered is told",
    async () => {
      const { folder, server, stored } = await startFixture();
      const file = makeFile(join(folder, "a.db"));
      chmodSync(folder, 0o555);
      atEnd(() => chmodSync(folder, 0o755));
      const child = spawnNode(
        await buildOnce("test/pages/client/client-child.ts"),
        [`http://127.0.0.1:${server.port}`, file],
        {
          // Root may write everywhere.
          env: { SYNC_TOKEN: server.token("push"), ...(process.getuid?.() === 0 && { SYNC_UID: "65534" }) },
        },
      );
      await child.waitForLine(/^notice: Nothing can be written beside/);
      expect(await child.exited).toMatchObject({ code: 0 });
      expect((await stored()).equals(readFileSync(file))).toBe(true);
      expect(readdirSync(folder)).toEqual(["a.db"]);
    },
  );

  it("that is no database is not overwritten by a pull, unless it is forced", async () => {
    const { folder, push, pull } = await startFixture();
    await push(makeFile(join(folder, "a.db")));
    const file = join(folder, "letter.txt");
    writeFileSync(file, "Dear Sir or Madam, ".repeat(100));
    await expect(pull(file)).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
    expect(readFileSync(file, "utf8")).toMatch(/^Dear/);
    expect(await pull(file, { force: true })).toMatchObject({ changed: true });
    expect(rowsOf(file)).toHaveLength(300);
  });

  it("that is empty is filled by a pull", async () => {
    const { folder, push, pull } = await startFixture();
    await push(makeFile(join(folder, "a.db")));
    const file = join(folder, "empty.db");
    writeFileSync(file, "");
    expect(await pull(file)).toMatchObject({ changed: true });
    expect(rowsOf(file)).toHaveLength(300);
  });

  it("is not emptied by a pull of a database that nothing was pushed to", async () => {
    const { folder, pull } = await startFixture();
    const file = makeFile(join(folder, "a.db"));
    await expect(pull(file)).rejects.toMatchObject({ code: "LOCAL_CHANGES" });
    expect(rowsOf(file)).toHaveLength(300);
    const fresh = join(folder, "fresh.db");
    const result = await pull(fresh);
    expect(result).toMatchObject({ changed: false, pageCount: 0, generation: 0 });
    expect(result.notices).toEqual([expect.stringContaining("Nothing has been pushed")]);
    expect(existsSync(fresh)).toBe(false);
  });

  it("behind a link is synced where it is", async () => {
    const { folder, push, pull } = await startFixture();
    await push(makeFile(join(folder, "a.db")));
    mkdirSync(join(folder, "real"));
    const link = join(folder, "link.db");
    symlinkSync(join(folder, "real", "b.db"), link);
    await pull(link);
    expect(rowsOf(join(folder, "real", "b.db"))).toHaveLength(300);
    expect(readdirSync(join(folder, "real"))).toContain("b.db-replica.json");
    expect(await pull(join(folder, "real", "b.db"))).toMatchObject({ changed: false, pagesTransferred: 0 });
  });

  it("that another sync works on is left to it", async () => {
    const { folder, push, client, server } = await startFixture();
    const file = makeFile(join(folder, "a.db"));
    const proxy = await startTcpProxy(server.port);
    proxy.blackHole();
    const abort = new AbortController();
    const first = push(file, { origin: proxy.origin, signal: abort.signal }).catch((thrown: unknown) => thrown);
    await waitFor(() => proxy.connections.total === 1);
    await expect(client.push({ file, token: server.token("push") })).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining("another process"),
      retryable: true,
    });
    abort.abort(new Error("enough"));
    expect(await first).toMatchObject({ message: "enough" });
    expect(await client.push({ file, token: server.token("push") })).toMatchObject({ changed: true });
    expect(leftBeside(file)).toEqual([]);
  });

  it("takes with it what a sync that was killed has left", async () => {
    const { folder, push } = await startFixture();
    const file = makeFile(join(folder, "a.db"));
    const left = join(folder, ".a.db-replica-0123456789abcdef");
    const others = join(folder, ".b.db-replica-0123456789abcdef");
    const mine = join(folder, ".a.db-replica-notes");
    for (const one of [left, others, mine]) {
      mkdirSync(one);
      writeFileSync(join(one, "hashes"), "x");
    }
    await push(file);
    expect([left, others, mine].map((one) => existsSync(one))).toEqual([false, true, true]);
  });

  it("in WAL mode keeps its mode, and what readers have begun to read", async () => {
    const { folder, push, client, server } = await startFixture();
    const file = makeFile(join(folder, "a.db"));
    await push(file);
    const copy = makeFile(join(folder, "b.db"), { rows: 5, pragmas: ["journal_mode = WAL"] });
    const reader = new Database(copy);
    reader.exec("BEGIN");
    expect(reader.prepare("SELECT count(*) FROM item").pluck().get()).toBe(5);
    await client.pull({ file: copy, token: server.token("pull") });
    expect(reader.prepare("SELECT count(*) FROM item").pluck().get()).toBe(5);
    reader.exec("COMMIT");
    expect(reader.prepare("SELECT count(*) FROM item").pluck().get()).toBe(300);
    expect(reader.pragma("journal_mode", { simple: true })).toBe("wal");
    reader.close();
    expect(await client.pull({ file: copy, token: server.token("pull") })).toMatchObject({ changed: false });
  });
});
