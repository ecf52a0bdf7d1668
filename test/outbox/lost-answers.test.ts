import { CustomObjectStore, MemoryObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import { documentHash } from "../../src/protocol/canonical-json.js";
import { collection } from "../support/collection.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { type Primary, startPrimary } from "../support/primary.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { deferred, waitFor } from "../support/wait.js";
import { edit, localData, outbox, pushBlind, startOutbox, write } from "./outbox-setup.js";

const PUSH_ONLY = { writeMode: "push_only", syncTriggers: [] } as const;
const PUSH = "/v1/push/posts/doc";
const PULL = "/v1/pull/posts/doc";

const at = async (primary: Primary) => (await primary.read("posts")).data;
const contents = (primary: Primary) => primary.pushes.map(({ rawBody }) => JSON.parse(rawBody).data);
const settled = (replica: Parameters<typeof outbox>[0]) => waitFor(() => outbox(replica).pendingSince === null);

async function behindProxy() {
  const primary = await startPrimary();
  const proxy = await startTcpProxy(primary.port);
  return { primary, proxy, url: `${proxy.origin}/v1` };
}

/** A primary whose disk can be stopped in the middle of a write. Its keys are not the replica's: the host queues writers by key alone. */
async function slowPrimary() {
  const map = new Map<string, string>();
  let gate: Promise<void> | null = null;
  const store = new CustomObjectStore({
    onGet: async (key) => map.get(key) ?? null,
    async onPut(key, body) {
      const held = gate;
      gate = null;
      await held;
      map.set(key, body);
    },
    onDelete: async (key) => void map.delete(key),
  });
  const primary = await startPrimary({ store, collections: [collection("posts", { storagePath: "posts/there" })] });
  const remote = { pullPath: "/pull/posts/there", pushPath: "/push/posts/there" };
  const holdNextWrite = (until: Promise<void>): void => {
    gate = until;
  };
  return { primary, remote, holdNextWrite };
}

describe("a push whose answer is lost", () => {
  it("is applied once, although every answer is dropped for a while", async () => {
    const { primary, proxy, url } = await behindProxy();
    const replica = await startOutbox({ url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    proxy.resetAfter(0);
    for (let n = 0; n < 3; n++) {
      await write(replica, { [`k${n}`]: n });
      await waitFor(() => replica.errors.length > n);
    }
    await proxy.pass();
    await settled(replica);
    expect(await at(primary)).toEqual({ k0: 0, k1: 1, k2: 2 });
    const sent = contents(primary).map((data) => JSON.stringify(data));
    expect(new Set(sent).size).toBe(sent.length);
  });

  it("is not sent again by the next process, which sends what was written since", async () => {
    const { primary, proxy, url } = await behindProxy();
    const data = new Map<string, string>();
    const first = await startOutbox({ url, data });
    await primary.write("posts", { a: 0 });
    await first.manager.syncNow("posts");
    proxy.resetAfter(0);
    first.manager.start();
    await write(first, { a: 1 });
    await waitFor(async () => (await at(primary)).a === 1);
    await first.stop();
    await proxy.pass();
    const second = await startOutbox({ url, data });
    await write(second, { a: 2 });
    second.manager.start();
    await waitFor(async () => (await at(primary)).a === 2);
    await settled(second);
    expect(contents(primary)).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it("is looked for by the next process of a push_only collection, once", async () => {
    const { primary, proxy, url } = await behindProxy();
    const data = new Map<string, string>();
    const first = await startOutbox({ url, data, remote: PUSH_ONLY });
    proxy.resetAfter(0);
    first.manager.start();
    const hash = await pushBlind(first, { n: 1 }, null);
    await waitFor(async () => (await at(primary)).n === 1);
    await first.stop();
    await proxy.pass();
    const before = primary.requests.length;
    const second = await startOutbox({ url, data, remote: PUSH_ONLY });
    second.manager.start();
    await pushBlind(second, { n: 2 }, hash);
    await waitFor(async () => (await at(primary)).n === 2);
    await settled(second);
    expect(contents(primary)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(primary.requests.slice(before).map(({ method }) => method)).toEqual(["GET", "POST"]);
    expect(second.manager.status()[0]?.runs).toBeLessThan(10);
  });

  it.each(["bidirectional", "push_only"] as const)(
    "does not hide that a client went back to what was there before it, in %s",
    async (writeMode) => {
      const { primary, proxy, url } = await behindProxy();
      const replica = await startOutbox({ url, remote: { writeMode, syncTriggers: [] } });
      replica.manager.start();
      const off = await pushBlind(replica, { on: false }, null);
      await waitFor(() => outbox(replica).sent === 1 && outbox(replica).pendingSince === null);
      proxy.resetAfter(0);
      const on = await pushBlind(replica, { on: true }, off);
      await waitFor(async () => (await at(primary)).on === true);
      await pushBlind(replica, { on: false }, on);
      await proxy.pass();
      await waitFor(async () => (await at(primary)).on === false);
    },
  );

  it("does not hide that a client has brought back what it removed, beside another writer's changes", async () => {
    const { primary, proxy, url } = await behindProxy();
    await primary.write("posts", { x: 1, k: 1 });
    const replica = await startOutbox({ url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    proxy.resetAfter(0);
    await write(replica, { x: undefined });
    await waitFor(async () => !("x" in (await at(primary))));
    await write(replica, { x: 1 });
    await primary.write("posts", { k: 1, other: 1 });
    await proxy.pass();
    await waitFor(async () => (await at(primary)).x === 1);
    await settled(replica);
    expect(await at(primary)).toEqual({ x: 1, k: 1, other: 1 });
  });

  it("may bring back a field that it added and another writer has removed since: nobody can tell that it was ever there", async () => {
    const { primary, proxy, url } = await behindProxy();
    await primary.write("posts", { k: 1 });
    const replica = await startOutbox({ url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    proxy.resetAfter(0);
    await write(replica, { mine: 1 });
    await waitFor(async () => (await at(primary)).mine === 1);
    await primary.write("posts", { k: 2 });
    await proxy.pass();
    await waitFor(async () => (await at(primary)).mine === 1);
    expect(await at(primary)).toEqual({ k: 2, mine: 1 });
  });

  it("may arrive late, after the same was sent again, and is recognised all the same", async () => {
    const { primary, remote, holdNextWrite } = await slowPrimary();
    await primary.write("posts", { f: 0 });
    const replica = await startOutbox({ url: primary.url, requestTimeoutMs: 300, remote });
    await replica.manager.syncNow("posts");
    replica.manager.start();
    const disk = deferred();
    holdNextWrite(disk.promise);
    await write(replica, { f: 1 });
    // The first one timed out, a look showed the old document, and the second one waits behind the first.
    await waitFor(() => primary.pushes.length === 2);
    await write(replica, { f: 2 });
    disk.resolve();
    await settled(replica);
    expect(await at(primary)).toEqual({ f: 2 });
    expect(await localData(replica)).toEqual({ f: 2 });
  });

  it("is sent again where another writer has put the old content back: nobody can tell that from a push that never arrived", async () => {
    const { primary, proxy, url } = await behindProxy();
    await primary.write("posts", { done: false });
    const replica = await startOutbox({ url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    proxy.resetAfter(0);
    await write(replica, { done: true });
    await waitFor(async () => (await at(primary)).done === true);
    await primary.write("posts", { done: false });
    await waitFor(() => outbox(replica).lastError, { what: "the answer to be lost" });
    await proxy.pass();
    await settled(replica);
    expect(await at(primary)).toEqual({ done: true });
    expect(contents(primary)).toEqual([{ done: true }, { done: true }]);
  });

  it("is no longer sent again where the other writer also changed something else: his value stays", async () => {
    const { primary, proxy, url } = await behindProxy();
    await primary.write("posts", { done: false });
    const replica = await startOutbox({ url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    proxy.resetAfter(0);
    await write(replica, { done: true });
    await waitFor(async () => (await at(primary)).done === true);
    await primary.write("posts", { done: "never", by: "other" });
    await waitFor(() => outbox(replica).lastError, { what: "the answer to be lost" });
    await proxy.pass();
    await waitFor(async () => (await localData(replica)).by === "other");
    await settled(replica);
    expect(await at(primary)).toEqual({ done: "never", by: "other" });
    expect(contents(primary)).toHaveLength(1);
  });
});

describe("a confirmed push whose confirmation cannot be stored", () => {
  it("is found at the primary, and an edit made since is kept", async () => {
    const primary = await startPrimary();
    await primary.write("posts", { f: 0 });
    const data = new Map<string, string>();
    let full = false;
    const store = new CustomObjectStore({
      onGet: async (key) => data.get(key) ?? null,
      async onPut(key, body) {
        if (full && key.startsWith("_replica")) throw new Error("ENOSPC");
        data.set(key, body);
      },
      onDelete: async (key) => void data.delete(key),
    });
    const replica = await startOutbox({ url: primary.url, store });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    primary.pause();
    await write(replica, { f: 1 });
    await waitFor(() => primary.count({ method: "POST" }) === 1);
    full = true;
    primary.resume();
    await waitFor(() => replica.errors.some(({ error }) => error.code === "LOCAL_STORE"));
    await write(replica, { f: 2 });
    full = false;
    await waitFor(async () => (await at(primary)).f === 2);
    await settled(replica);
    expect(contents(primary).filter(({ f }) => f === 1)).toHaveLength(1);
  });
});

describe("an answer to a pull that is older than a push of ours", () => {
  it("does not undo the push, nor an edit made on top of it", async () => {
    const server = await startHostileServer();
    server.on(PULL, hostile.document({ f: "a" }));
    const replica = await startOutbox({ url: server.url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    await waitFor(() => outbox(replica).state === "idle" && replica.manager.status()[0]?.state === "idle");
    const [asked, answer] = [deferred(), deferred()];
    server.next(async (request, response) => {
      asked.resolve();
      await answer.promise;
      await hostile.document({ f: "b" })(request, response);
    });
    const pulling = replica.manager.syncNow("posts");
    await asked.promise;
    // Another writer wrote "b", which the answer shows, and took it back; now the primary takes ours.
    server.on(PUSH, hostile.status(200, {}, { hash: documentHash({ f: "mine" }), timestamp: 1 }));
    server.on(PULL, hostile.document({ f: "mine" }));
    await edit(replica, () => ({ f: "mine" }));
    await waitFor(() => outbox(replica).sent === 1);
    server.on(PUSH, hostile.status(503));
    await edit(replica, () => ({ f: "newer" }));
    answer.resolve();
    await pulling;
    expect(await localData(replica)).toEqual({ f: "newer" });
  });
});

describe("the outbox's status", () => {
  it("says that nothing is pending as soon as the primary has everything", async () => {
    const primary = await startPrimary();
    const replica = await startOutbox({ url: primary.url, store: new MemoryObjectStore(new Map()) });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    for (let n = 1; n <= 3; n++) {
      await write(replica, { n });
      await waitFor(async () => (await at(primary)).n === n);
      await settled(replica);
      expect(outbox(replica)).toMatchObject({ sent: n, deadLetter: null });
    }
  });
});
