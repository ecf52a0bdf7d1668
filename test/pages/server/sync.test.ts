import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { chmodSync, closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { PAGE_EVENTS, type PageEvent } from "../../../src/pages/server/page-events.js";
import type { PageStore } from "../../../src/pages/store/page-store.js";
import { createTokens } from "../../../src/pages/tokens/create-tokens.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { deferred, waitFor } from "../../support/wait.js";
import { connectRawPeer } from "./raw-peer.js";
import { answerRequests, FRESH, makeDatabase, pullWhole, pushWhole } from "./simple-sync.js";
import { startSyncServer } from "./sync-server.js";

const dir = tempDir();
const one = makeDatabase(join(dir, "one.db"), { pages: 40, mark: "one" });
const two = makeDatabase(join(dir, "two.db"), { pages: 40, mark: "two" });
const wide = makeDatabase(join(dir, "wide.db"), { pages: 40, pageSize: 65_536 });

function listen(): PageEvent[] {
  const events: PageEvent[] = [];
  const add = (event: unknown) => events.push(event as PageEvent);
  subscribe(PAGE_EVENTS, add);
  atEnd(() => unsubscribe(PAGE_EVENTS, add));
  return events;
}

/** A store like the real one but for what is given; `...store` would lose the methods of its class. */
function like(store: PageStore, changes: Partial<PageStore>): PageStore {
  return {
    open: () => store.open(),
    close: () => store.close(),
    read: (database, unit) => (unit === undefined ? store.read(database) : store.read(database, unit)),
    stage: (database, request) => store.stage(database, request),
    bytes: (database) => store.bytes(database),
    trimLeftovers: (database, maxBytes) => store.trimLeftovers(database, maxBytes),
    file: (database) => store.file(database),
    ids: () => store.ids(),
    remove: (database) => store.remove(database),
    ...changes,
  };
}

/** A server whose commits wait until `go`. */
async function startWithHeldCommit() {
  const committing = deferred();
  const go = deferred();
  const server = await startSyncServer({
    dir: tempDir(),
    wrapStore: (store) =>
      like(store, {
        async stage(database, request) {
          const staging = await store.stage(database, request);
          return {
            stored: staging.stored,
            compare: (startPage, endPage, hash) => staging.compare(startPage, endPage, hash),
            has: (pageNo, hash) => staging.has(pageNo, hash),
            put: (pageNo, data) => staging.put(pageNo, data),
            close: () => staging.close(),
            async commit() {
              committing.resolve();
              await go.promise;
              return staging.commit();
            },
          };
        },
      }),
  });
  return { server, committing: committing.promise, go: () => go.resolve() };
}

describe("a sync at the endpoint", () => {
  it.each([
    ["4096", one, 4096],
    ["65536", wide, 65_536],
  ])("keeps what was pushed, in pages of %s bytes, for whoever pulls", async (_name, file, pageSize) => {
    const server = await startSyncServer({ dir: tempDir() });
    const pushed = await pushWhole(await connectRawPeer(server.url, server.token("push")), file, pageSize);
    expect(pushed).toMatchObject({ pagesTransferred: file.byteLength / pageSize, bytesTransferred: file.byteLength });
    expect(server.commits).toEqual([
      { databaseId: "d-1", generation: 1, rootHash: expect.objectContaining({ byteLength: 32 }) },
    ]);
    const peer = await connectRawPeer(server.url, server.token("pull"));
    const pulled = await pullWhole(peer);
    expect(pulled.file.equals(file)).toBe(true);
    expect(pulled.complete.extension).toEqual(pushed.extension);
    expect(await peer.close()).toBe(1000);
    expect(server.endpoint.active).toBe(0);
    expect(server.errors).toEqual([]);
  });

  it("makes no new generation of a push that changes nothing, and tells nobody of it", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    await pushWhole(await connectRawPeer(server.url, server.token("push")), one, 4096);
    const again = await pushWhole(await connectRawPeer(server.url, server.token("push")), one, 4096, {
      database: "d-1",
      generation: 1,
    });
    expect(again.extension?.generation).toBe(1);
    expect(server.commits).toHaveLength(1);
  });

  it("lets one of two pushes from one generation win, and tells the other both generations", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    await pushWhole(await connectRawPeer(server.url, server.token("push")), one, 4096);
    const from = { database: "d-1", generation: 1 };
    const [first, second] = [
      await connectRawPeer(server.url, server.token("push")),
      await connectRawPeer(server.url, server.token("push")),
    ];
    for (const peer of [first, second]) {
      peer.send({
        kind: "hello",
        protocolVersion: 1,
        pageSize: 4096,
        maxPage: two.byteLength / 4096,
        extension: { ...FRESH, ...from },
      });
      await peer.next("hello_reply");
    }
    const three = makeDatabase(join(tempDir(), "three.db"), { pages: 40, mark: "three" });
    first.send({ kind: "complete" });
    expect((await answerRequests(first, two, 4096)).extension?.generation).toBe(2);
    second.send({ kind: "complete" });
    await expect(answerRequests(second, three, 4096)).rejects.toThrow(/generation 1\b.*generation 2\b/);
    expect(await second.close()).toBe(1008);
    const late = await connectRawPeer(server.url, server.token("push"));
    await expect(pushWhole(late, three, 4096, from)).rejects.toThrow(/generation 1\b.*generation 2\b/);
    const forced = await connectRawPeer(server.url, server.token("push"));
    expect((await pushWhole(forced, three, 4096, { ...from, force: true })).extension?.generation).toBe(3);
    expect(server.errors).toEqual([]);
  });

  it("goes on with a pull of the version that it began with while another is pushed", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    await pushWhole(await connectRawPeer(server.url, server.token("push")), one, 4096);
    const peer = await connectRawPeer(server.url, server.token("pull"));
    peer.send({ kind: "hello", protocolVersion: 1, pageSize: 4096, maxPage: 0, extension: FRESH });
    await peer.next("hello_reply");
    await pushWhole(await connectRawPeer(server.url, server.token("push")), two, 4096, {
      database: "d-1",
      generation: 1,
    });
    peer.send({ kind: "complete" });
    const pages = (await peer.next("page_data_batch")).pages;
    expect(Buffer.concat(pages.map((page) => page.data)).equals(one)).toBe(true);
    expect((await peer.next("sync_complete")).extension?.generation).toBe(1);
  });

  it("finishes although its token has expired meanwhile", async () => {
    let now = Date.now();
    const tokens = createTokens([Uint8Array.from(randomBytes(32))], { now: () => now });
    const server = await startSyncServer({ dir: tempDir(), parts: { tokens } });
    const claims = { purpose: "sync", userId: "u-1", orgId: "o-1", databaseId: "d-1", direction: "push" } as const;
    const token = tokens.mint(claims, Math.floor(now / 1_000) + 60);
    const peer = await connectRawPeer(server.url, token);
    now += 61_000;
    expect((await pushWhole(peer, one, 4096)).extension?.generation).toBe(1);
    await expect(connectRawPeer(server.url, token)).rejects.toThrow("401");
  });

  it("refuses a push over the quota of the organisation, and gives the room back", async () => {
    const held: number[] = [];
    const server = await startSyncServer({
      dir: tempDir(),
      parts: {
        quota: {
          async reserve(_orgId, _databaseId, bytes) {
            if (bytes > one.byteLength) throw new ReplicaError("QUOTA_EXCEEDED", "No more room", { hint: "Buy some." });
            held.push(bytes);
            return () => held.splice(held.indexOf(bytes), 1);
          },
        },
      },
    });
    await pushWhole(await connectRawPeer(server.url, server.token("push")), one, 4096);
    const peer = await connectRawPeer(server.url, server.token("push", { databaseId: "d-2" }));
    await expect(pushWhole(peer, wide, 65_536)).rejects.toThrow(/No more room.* Buy some/);
    const broken = await connectRawPeer(server.url, server.token("push", { databaseId: "d-2" }));
    broken.send({ kind: "hello", protocolVersion: 1, pageSize: 4096, maxPage: 30, extension: FRESH });
    await waitFor(() => held.length === 1);
    broken.socket.terminate();
    await waitFor(() => server.endpoint.active === 0 && held.length === 0);
    expect(server.errors).toEqual([]);
  });

  it("tells the peer nothing of a failure of the store but that it is one, and the operator all", async () => {
    const folder = tempDir();
    const server = await startSyncServer({
      dir: folder,
      wrapStore: (store) =>
        like(store, {
          read: () => Promise.reject(new ReplicaError("PAGE_STORE", `Reading ${folder}/databases failed: EIO`)),
        }),
    });
    const peer = await connectRawPeer(server.url, server.token("pull"));
    peer.send({ kind: "hello", protocolVersion: 1, pageSize: 4096, maxPage: 0, extension: FRESH });
    const { message, code } = await peer.refusal();
    expect(message).not.toContain(folder);
    expect(message).not.toContain("EIO");
    expect(code).toBe(1011);
    expect(server.errors).toEqual([expect.objectContaining({ code: "PAGE_STORE" })]);
  });

  it("replaces a version that was damaged on the server's disk, which nobody can pull any more", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    await pushWhole(await connectRawPeer(server.url, server.token("push")), one, 4096);
    const path = (await server.store.file("d-1")) ?? "";
    chmodSync(path, 0o600);
    const file = openSync(path, "r+");
    writeSync(file, "somebody else was here", 3 * 4096);
    closeSync(file);
    const peer = await connectRawPeer(server.url, server.token("pull"));
    await expect(pullWhole(peer)).rejects.toThrow("server failed");
    expect(server.errors).toEqual([expect.objectContaining({ code: "PAGE_STORE" })]);
    const from = { database: "d-1", generation: 1 };
    const pushed = await pushWhole(await connectRawPeer(server.url, server.token("push")), one, 4096, from);
    expect(pushed.extension?.generation).toBe(2);
    const pulled = await pullWhole(await connectRawPeer(server.url, server.token("pull")));
    expect(pulled.file.equals(one)).toBe(true);
  });

  it("is published: what began, what ended and how, without token or address", async () => {
    const events = listen();
    const server = await startSyncServer({ dir: tempDir() });
    const token = server.token("push");
    await pushWhole(await connectRawPeer(server.url, token), one, 4096);
    await pullWhole(await connectRawPeer(server.url, server.token("pull")));
    const refused = await connectRawPeer(server.url, server.token("pull"));
    refused.socket.send("text");
    await refused.close();
    (await connectRawPeer(server.url, server.token("pull"))).socket.terminate();
    await waitFor(() => events.length === 8);
    const ends = events.filter((event) => event.event === "end");
    const pages = one.byteLength / 4096;
    const moved = { pages, bytes: one.byteLength, durationMs: expect.any(Number), databaseId: "d-1" };
    expect(ends).toEqual([
      expect.objectContaining({ direction: "push", outcome: "completed", generation: 1, ...moved }),
      expect.objectContaining({ direction: "pull", outcome: "completed", generation: null, ...moved }),
      expect.objectContaining({ direction: "pull", outcome: "refused", pages: 0, bytes: 0 }),
      expect.objectContaining({ direction: "pull", outcome: "broken-off" }),
    ]);
    const begun = events.filter((event) => event.event === "begin").map((event) => event.sync);
    expect(ends.map((event) => event.sync).sort()).toEqual(begun.sort());
    expect(JSON.stringify(events)).not.toContain(token);
    expect(JSON.stringify(events)).not.toContain("127.0.0.1");
  });
});

describe("a database that is deleted", () => {
  it("ends its syncs and no others", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    const gone = await connectRawPeer(server.url, server.token("pull"));
    const other = await connectRawPeer(server.url, server.token("pull", { databaseId: "d-2" }));
    server.databases.delete("d-1");
    await server.endpoint.endDatabase("d-1");
    expect(server.endpoint.active).toBe(1);
    await server.store.remove("d-1");
    expect(await gone.refusal()).toEqual({ message: "The database was deleted.", code: 1008 });
    expect((await pullWhole(other)).file).toHaveLength(0);
  });
});

describe("closing the endpoint", () => {
  it("ends syncs with the reason, waits for the commit that has begun, and tells its client of it", async () => {
    const { server, committing, go } = await startWithHeldCommit();
    const pusher = await connectRawPeer(server.url, server.token("push"));
    const pushed = pushWhole(pusher, one, 4096);
    const gone = await connectRawPeer(server.url, server.token("push", { databaseId: "d-2" }));
    const waiting = await connectRawPeer(server.url, server.token("pull"));
    await committing;
    const lost = pushWhole(gone, two, 4096);
    lost.catch(() => {});
    const closed = server.endpoint.close(5_000);
    expect(await waiting.refusal()).toEqual({ message: expect.stringContaining("stopped"), code: 1001 });
    go();
    expect((await pushed).extension?.generation).toBe(1);
    await expect(lost).rejects.toThrow(/stopped/);
    await closed;
    expect(server.endpoint.active).toBe(0);
    expect(server.commits).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  it("finishes a commit whose client has gone", async () => {
    const { server, committing, go } = await startWithHeldCommit();
    const peer = await connectRawPeer(server.url, server.token("push"));
    pushWhole(peer, one, 4096).catch(() => {});
    await committing;
    peer.socket.terminate();
    go();
    await waitFor(() => server.endpoint.active === 0);
    expect(server.commits).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });
});
