import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { ChangeEvent } from "../../../src/feeds/change-feed.js";
import { createMemoryFeed } from "../../../src/feeds/memory-feed.js";
import { createPageServer } from "../../../src/pages/create-page-server.js";
import { PageServerSession } from "../../../src/pages/page-server-session.js";
import { parsePageServerSettings } from "../../../src/pages/page-server-settings.js";
import { createTokens } from "../../../src/pages/tokens/create-tokens.js";
import { expectProcessEnds } from "../../support/open-handles.js";
import { mountSmallDisk } from "../../support/small-disk.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { KEY, listen, type PageHost, startPageHost } from "./page-host.js";

/** A database file with so many rows of about a kilobyte. */
function shopFile(rows: number, name = "shop.db"): string {
  const file = join(tempDir(), name);
  const database = new Database(file);
  database.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, text TEXT)");
  const insert = database.prepare("INSERT INTO orders (text) VALUES (?)");
  database.transaction(() => {
    for (let row = 0; row < rows; row++) insert.run(`${row} `.repeat(200));
  })();
  database.close();
  return file;
}

function countRows(file: string): unknown {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare("SELECT count(*) FROM orders").pluck().get();
  } finally {
    database.close();
  }
}

async function thrown(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => error,
  );
}

/** To the last block. */
function fillDisk(disk: string): void {
  for (const size of [65_536, 1]) {
    try {
      for (let file = 0; ; file++) writeFileSync(join(disk, `${size}-${file}`), Buffer.alloc(size));
    } catch (error) {
      expect(error).toMatchObject({ code: "ENOSPC" });
    }
  }
}

/** The status of the answer to an upgrade. */
function upgradeStatus(origin: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
    };
    const call = httpRequest(`${origin}${path}`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    call.on("error", reject);
    call.end();
  });
}

async function push(host: PageHost, databaseId: string, file: string, email = "ann@example.com"): Promise<void> {
  const token = await (await host.user(email)).token(databaseId, "push");
  await host.client.push({ file, token });
}

describe("a page server", () => {
  it("takes a database from one user's machine to another's, and shows it as a file", async () => {
    const host = await startPageHost();
    const ann = await host.user("ann@example.com");
    const { id } = await ann.admin.createDatabase({ name: "shop" });
    expect(await host.server.databaseFile(id)).toBeNull();
    await push(host, id, shopFile(50));
    const stored = await host.server.databaseFile(id);
    expect(countRows(stored ?? "")).toBe(50);

    const copy = join(tempDir(), "copy.db");
    const result = await host.client.pull({ file: copy, token: await ann.token(id, "pull") });
    expect(result).toMatchObject({ changed: true, database: id, generation: 1 });
    expect(countRows(copy)).toBe(50);
    expect(host.errors).toEqual([]);
  });

  it("announces each commit on the feed, and nothing else", async () => {
    const feed = createMemoryFeed();
    const events: ChangeEvent[] = [];
    const ended = new AbortController();
    feed.subscribe({ change: (event) => events.push(event), gap: () => {} }, ended.signal);
    const host = await startPageHost({ feed });
    const { admin } = await host.user("ann@example.com");
    const { id } = await admin.createDatabase({ name: "shop" });
    const file = shopFile(5);
    await push(host, id, file);
    await push(host, id, file);
    await waitFor(() => events.length === 1);
    ended.abort();
    expect(events).toEqual([
      {
        collection: id,
        namespace: "pages",
        key: `pages/${id}`,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        timestamp: expect.any(Number),
      },
    ]);
  });

  it("commits all the same where the feed fails, which it tells", async () => {
    const broken = new Error("no feed");
    const feed = {
      publish: () => {
        throw broken;
      },
      subscribe: () => {
        throw broken;
      },
    };
    const host = await startPageHost({ feed });
    const { admin } = await host.user("ann@example.com");
    const { id } = await admin.createDatabase({ name: "shop" });
    await push(host, id, shopFile(5));
    expect(host.errors).toEqual([broken]);
  });

  it("answers 404 to upgrades elsewhere and 401 without a token", async () => {
    const host = await startPageHost();
    expect(await upgradeStatus(host.origin, "/elsewhere")).toBe(404);
    expect(await upgradeStatus(host.origin, "/sync")).toBe(401);
  });

  it("refuses what an organisation has no room for", async () => {
    const [small, large, huge] = [shopFile(5), shopFile(80), shopFile(200)];
    const [maxOrganisationBytes, maxDatabaseBytes] = [statSync(large).size * 1.5, statSync(large).size];
    const host = await startPageHost({ maxOrganisationBytes, maxDatabaseBytes });
    const { admin } = await host.user("ann@example.com");
    const [one, two] = [await admin.createDatabase({ name: "one" }), await admin.createDatabase({ name: "two" })];
    await push(host, one.id, large);
    expect(String(await thrown(push(host, two.id, large)))).toContain(String(maxOrganisationBytes));
    expect(String(await thrown(push(host, two.id, huge)))).toContain(String(maxDatabaseBytes));
    await push(host, two.id, small);
    // What is there already counts once.
    await expect(push(host, one.id, large)).resolves.toBeUndefined();
    expect(host.errors).toEqual([]);
  });
});

describe("deleting a database", () => {
  it("removes its files, and its tokens lead nowhere", async () => {
    const host = await startPageHost();
    const ann = await host.user("ann@example.com");
    const { id } = await ann.admin.createDatabase({ name: "shop" });
    const file = shopFile(5);
    await push(host, id, file);
    const pull = await ann.token(id, "pull");
    await ann.admin.deleteDatabase({ databaseId: id });
    expect(await host.server.databaseFile(id)).toBeNull();
    expect(readdirSync(join(host.dir, "databases"))).toEqual([]);
    expect(existsSync(join(host.dir, "deleting", id))).toBe(false);
    expect(await thrown(host.client.pull({ file: join(tempDir(), "copy.db"), token: pull }))).toBeInstanceOf(
      ReplicaError,
    );
    expect(ConnectError.from(await thrown(ann.admin.deleteDatabase({ databaseId: id }))).code).toBe(Code.NotFound);
    // Its name is free again.
    const again = await ann.admin.createDatabase({ name: "shop" });
    expect(again.id).not.toBe(id);
  });

  it("finds nothing where the id is somebody else's or no id", async () => {
    const host = await startPageHost();
    const ann = await host.user("ann@example.com");
    const bob = await host.user("bob@example.com");
    const { id } = await ann.admin.createDatabase({ name: "shop" });
    await push(host, id, shopFile(5));
    for (const databaseId of [id, "../accounts.db", "", "."]) {
      expect(ConnectError.from(await thrown(bob.admin.deleteDatabase({ databaseId }))).code).toBe(Code.NotFound);
    }
    expect(countRows((await host.server.databaseFile(id)) ?? "")).toBe(5);
    expect(await host.server.databaseFile("../accounts")).toBeNull();
  });

  it("works on a full disk, of which it makes room", async ({ skip }) => {
    const disk = mountSmallDisk(6);
    if (disk === null) return skip("this user may not mount a disk");
    const host = await startPageHost({ dir: join(disk, "pages") });
    const { admin } = await host.user("ann@example.com");
    const { id } = await admin.createDatabase({ name: "shop" });
    await push(host, id, shopFile(500));
    fillDisk(disk);
    expect(ConnectError.from(await thrown(admin.createDatabase({ name: "blog" }))).code).toBe(Code.Internal);
    expect(host.errors).toMatchObject([{ code: "PAGE_STORE", message: expect.stringContaining("full") }]);
    await admin.deleteDatabase({ databaseId: id });
    expect(await host.server.databaseFile(id)).toBeNull();
    await admin.createDatabase({ name: "blog" });
    expect(statSync(join(host.dir, "reserve")).size).toBeGreaterThan(0);
    expect(host.errors).toHaveLength(1);
  });

  it("is finished at the next start where a crash cut it short", async () => {
    const dir = tempDir();
    const host = await startPageHost({ dir });
    const { admin } = await host.user("ann@example.com");
    const [kept, gone] = [await admin.createDatabase({ name: "kept" }), await admin.createDatabase({ name: "gone" })];
    for (const { id } of [kept, gone]) await push(host, id, shopFile(5));
    await host.server.stop();
    // As after a crash between the account's row and the files; for the other one the row was still there.
    const accounts = new Database(join(dir, "accounts.db"));
    accounts.prepare("DELETE FROM databases WHERE id = ?").run(gone.id);
    accounts.close();
    mkdirSync(join(dir, "deleting"));
    for (const { id } of [kept, gone]) writeFileSync(join(dir, "deleting", id), "");
    await host.server.start();
    expect(await host.server.databaseFile(gone.id)).toBeNull();
    expect(countRows((await host.server.databaseFile(kept.id)) ?? "")).toBe(5);
    expect(readdirSync(join(dir, "deleting"))).toEqual([]);
    expect(host.errors).toEqual([]);
  });

  it("is not done to files that nobody asked to delete, of which the operator is told", async () => {
    const dir = tempDir();
    const host = await startPageHost({ dir });
    const { admin } = await host.user("ann@example.com");
    const { id } = await admin.createDatabase({ name: "shop" });
    await push(host, id, shopFile(5));
    await host.server.stop();
    const accounts = new Database(join(dir, "accounts.db"));
    accounts.exec("DELETE FROM databases");
    accounts.close();
    await host.server.start();
    expect(countRows((await host.server.databaseFile(id)) ?? "")).toBe(5);
    expect(host.errors).toMatchObject([{ code: "PAGE_STORE", message: expect.stringContaining(id) }]);
  });
});

describe("the life of a page server", () => {
  it("answers Unavailable and 503 while it does not run, and goes on after a new start", async () => {
    const server = createPageServer({ dir: tempDir(), sessionKey: KEY });
    const origin = await listen(server);
    const whoami = () =>
      fetch(`${origin}/edgereplica.admin.v1.AdminService/Login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"email":"a@example.com","password":"correct horse battery"}',
      });
    for (const round of [1, 2]) {
      expect([round, (await whoami()).status]).toEqual([round, 503]);
      expect(await upgradeStatus(origin, "/sync")).toBe(503);
      await expect(server.databaseFile("x")).rejects.toMatchObject({ code: "STOPPED" });
      await server.start();
      await server.start();
      expect((await whoami()).status).toBe(401);
      expect(await upgradeStatus(origin, "/sync")).toBe(401);
      await server.stop();
      await server.stop();
    }
  });

  it("keeps accounts and databases from one start to the next, and sessions under a key that is still known", async () => {
    const dir = tempDir();
    const first = await startPageHost({ dir });
    const ann = await first.user("ann@example.com");
    await ann.admin.createDatabase({ name: "shop" });
    const { headers } = await sessionOf(first);
    await first.server.stop();
    const [another] = [randomBytes(32).toString("base64")];
    const rotated = await startPageHost({ dir, sessionKey: [another, KEY] });
    const list = await fetch(`${rotated.origin}/edgereplica.admin.v1.AdminService/ListDatabases`, {
      method: "POST",
      headers,
      body: "{}",
    });
    expect(await list.json()).toMatchObject({ databases: [{ name: "shop" }] });
    await rotated.server.stop();
    const forgotten = await startPageHost({ dir, sessionKey: another });
    const refused = await fetch(`${forgotten.origin}/edgereplica.admin.v1.AdminService/Whoami`, {
      method: "POST",
      headers,
      body: "{}",
    });
    expect(refused.status).toBe(401);
  });

  it("is closed by a stop that comes while it starts", async () => {
    const settings = parsePageServerSettings({ dir: tempDir(), sessionKey: KEY });
    const session = new PageServerSession(settings, createTokens(settings.keys), async () => {});
    const { store } = session;
    const open = store.open.bind(store);
    let closed: Promise<void> | undefined;
    store.open = () => {
      closed = session.close();
      return open();
    };
    expect(await thrown(session.open())).toMatchObject({ code: "STOPPED" });
    await closed;
    await expect(store.ids()).rejects.toMatchObject({ code: "STOPPED" });
  });

  it("has its folder for itself", async () => {
    const host = await startPageHost();
    const other = createPageServer({ dir: host.dir, sessionKey: KEY });
    expect(await thrown(other.start())).toMatchObject({ code: "PAGE_STORE" });
    await host.server.stop();
    await other.start();
    await other.stop();
  });

  it("can be tried again after a start that failed", async () => {
    const dir = join(tempDir(), "pages");
    writeFileSync(dir, "a file");
    const server = createPageServer({ dir, sessionKey: KEY });
    expect(await thrown(server.start())).toMatchObject({ code: "PAGE_STORE" });
    await expect(server.stop()).resolves.toBeUndefined();
  });

  it("leaves no handle", async () => {
    const exit = await expectProcessEnds("test/pages/server-facade/stopping-child.ts", {
      args: [tempDir()],
      withinMs: 5_000,
    });
    expect(exit.code).toBe(0);
  });
});

async function sessionOf(host: PageHost): Promise<{ headers: Record<string, string> }> {
  const answer = await fetch(`${host.origin}/edgereplica.admin.v1.AdminService/Login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"email":"ann@example.com","password":"correct horse battery"}',
  });
  const { sessionToken } = (await answer.json()) as { sessionToken: string };
  return { headers: { "content-type": "application/json", authorization: `Bearer ${sessionToken}` } };
}
