import { MemoryObjectStore, type ObjectStore } from "@drakkar.software/starfish-server";
import { beforeAll, describe, expect, it } from "vitest";
import type { RemoteConfig } from "../../src/config.js";
import { collection } from "../support/collection.js";
import { hostile } from "../support/hostile.js";
import { type HostileServer, startHostileServer } from "../support/hostile-server.js";
import { expectProcessEnds } from "../support/open-handles.js";
import { realDelay, realNow } from "../support/real-time.js";
import { remote, startReplica } from "../support/replica.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";
import { startDeafListener } from "./deaf-listener.js";
import { dyingStore } from "./dying-store.js";
import { MergeStory } from "./merge-story.js";

const PULL = "/v1/pull/posts/doc";

describe("the process of a stopped manager", () => {
  const urls: Record<string, string> = {};
  beforeAll(async () => {
    const [silent, silentInBody, sick, swallowed] = await Promise.all(Array.from({ length: 4 }, startHostileServer));
    silent?.on("*", hostile.silence());
    silentInBody?.on("*", hostile.headThenSilence());
    sick?.on("*", hostile.tooManyRequests(2));
    const proxy = await startTcpProxy(swallowed?.port ?? 0);
    proxy.blackHole();
    urls["is silent"] = silent?.url ?? "";
    urls["falls silent in its answer"] = silentInBody?.url ?? "";
    urls["asks for a pause"] = sick?.url ?? "";
    urls["is a black hole"] = `${proxy.origin}/v1`;
    urls["lets nobody connect"] = `http://127.0.0.1:${await startDeafListener()}/v1`;
    urls["refuses connections"] = "http://127.0.0.1:1/v1";
  });

  it.each([
    ["is silent", "sync"],
    ["is silent", "sync", "fetch"],
    ["is silent", "push"],
    ["is silent", "readers"],
    ["is silent", "asked"],
    ["is silent", "never"],
    ["is silent", "at-once"],
    ["falls silent in its answer", "merge"],
    ["falls silent in its answer", "sync", "fetch"],
    ["asks for a pause", "sync"],
    ["asks for a pause", "push"],
    ["is a black hole", "sync"],
    ["lets nobody connect", "sync"],
    ["lets nobody connect", "push"],
    ["refuses connections", "sync"],
    ["refuses connections", "push"],
  ])("ends by itself within a second where the primary %s (%s)", async (primary, scenario, client = "") => {
    const { afterMs } = await expectProcessEnds("test/faults/stop-child.ts", {
      args: [urls[primary] ?? "", scenario, client],
      withinMs: 1_000,
      // Starting node, the scenario's 300 ms, and a stop() that must take no time.
      startTimeoutMs: 4_000,
    });
    expect(afterMs).toBeLessThan(1_000);
  });
});

describe("stop()", () => {
  async function setUp(overrides: Partial<RemoteConfig> = {}, store: ObjectStore = new MemoryObjectStore(new Map())) {
    const server = await startHostileServer();
    server.on("*", hostile.document({ n: 1 }));
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: {
        posts: remote(server.url, "posts", {
          syncTriggers: ["scheduled", "on_pull"],
          intervalMs: 20,
          onPullMaxWaitMs: 30_000,
          ...overrides,
        }),
      },
      store,
    });
    return { server, replica };
  }

  it("lets readers that wait for a sync go at once, with the local copy", async () => {
    const { server, replica } = await setUp();
    await replica.manager.syncNow("posts");
    server.on("*", hostile.silence());
    const asked = server.count();
    const readers = Array.from({ length: 10 }, () => replica.get("/pull/posts/doc"));
    await waitFor(() => server.count() > asked && replica.count("GET") === 10);
    const since = realNow();
    await replica.plugin.shutdown?.();
    for (const { status, body } of await Promise.all(readers)) expect([status, body.data]).toEqual([200, { n: 1 }]);
    expect(realNow() - since).toBeLessThan(1_000);
    expect(replica.errors).toEqual([]);
  });

  it("ends a forwarded push with 503, which is nobody's error", async () => {
    const { server, replica } = await setUp({ writeMode: "push_through", syncTriggers: [] });
    server.on("*", hostile.silence());
    const pushed = replica.push("/push/posts/doc", { data: { n: 2 }, baseHash: null });
    await waitFor(() => server.count() === 1);
    const since = realNow();
    await replica.manager.stop();
    const { status, body } = await pushed;
    expect(realNow() - since).toBeLessThan(1_000);
    expect(status).toBe(503);
    expect(body.error).toMatch(/shutting down.*unknown/);
    expect(replica.errors).toEqual([]);
  });

  it("ends a forwarded push with 503 between two tries, too", async () => {
    const { server, replica } = await setUp({ writeMode: "push_through", syncTriggers: [] });
    server.on("*", hostile.hangUp());
    server.on(PULL, hostile.text('{"data":{},"hash":"","timestamp":0}'));
    const pushed = replica.manager.proxyPush("posts", '{"data":{"n":1},"baseHash":null}');
    await waitFor(() => server.requests.some(({ path, state }) => path === PULL && state === "finished"), {
      everyMs: 1,
    });
    await replica.manager.stop();
    expect((await pushed).status).toBe(503);
    expect(replica.errors).toEqual([]);
  });

  it("is not undone by a start() that comes too early", async () => {
    const { server, replica } = await setUp({ writeMode: "push_through" });
    replica.manager.start();
    const stopping = replica.manager.stop();
    expect(() => replica.manager.start()).toThrow("stop() is under way");
    await stopping;
    const asked = server.count();
    expect((await replica.manager.proxyPush("posts", '{"data":{},"baseHash":null}')).status).toBe(503);
    await realDelay(60);
    expect(server.count()).toBe(asked);
  });

  it("waits for a merge that a client's write is finishing", async () => {
    const merge = { base: { a: 1 }, local: { a: 1, l: 1 }, remote: { a: 2 }, merged: { a: 2, l: 1 }, wiped: {} };
    const story = await MergeStory.start(await startHostileServer(), merge);
    story.restart(dyingStore(story.data, { after: 1 }).store);
    await expect(story.sync()).rejects.toMatchObject({ code: "LOCAL_STORE" });
    story.restart(dyingStore(story.data, { onWrite: () => realDelay(20) }).store);
    const admitted = story.admit({ x: 1 }, null).catch(() => {});
    await story.stop();
    const before = [...story.data];
    await admitted;
    expect([...story.data]).toEqual(before);
  });

  it("rejects a sync that somebody awaits with STOPPED, and everything that is asked later", async () => {
    const { server, replica } = await setUp({ writeMode: "push_through" });
    server.on("*", hostile.silence());
    const asked = [replica.manager.syncNow("posts"), replica.manager.syncAll()];
    const ends = Promise.allSettled(asked);
    await waitFor(() => server.count() === 1);
    await replica.manager.stop();
    for (const end of await ends) expect(end).toMatchObject({ reason: { code: "STOPPED" } });
    await expect(replica.manager.syncNow("posts")).rejects.toMatchObject({ code: "STOPPED" });
    await expect(replica.manager.syncAll()).rejects.toMatchObject({ code: "STOPPED" });
    await replica.manager.onPull("posts");
    expect((await replica.manager.proxyPush("posts", "{}")).status).toBe(503);
    expect(replica.manager.status()).toMatchObject([{ state: "stopped", nextRunAt: null, consecutiveFailures: 0 }]);
    expect(server.count()).toBe(1);
  });

  it.each(["pull_only", "bidirectional"] as const)(
    "waits for the write under way, and none lands later (%s)",
    async (writeMode) => {
      const data = new Map<string, string>();
      const slow = slowStore(data);
      const { server, replica } = await setUp({ writeMode, syncTriggers: ["scheduled"], intervalMs: 1 }, slow.store);
      let n = 0;
      server.on("*", (request, response) => hostile.document({ n: ++n })(request, response));
      // Each time in another phase of a sync.
      for (let round = 0; round < 8; round++) {
        replica.manager.start();
        const asked = server.count();
        await waitFor(() => server.count() > asked, { everyMs: 1 });
        await realDelay(round * 5);
        await replica.manager.stop();
        const { writing } = slow;
        const before = [...data];
        const requests = server.count();
        await realDelay(40);
        expect(writing).toBe(0);
        expect([...data]).toEqual(before);
        expect(server.count()).toBe(requests);
      }
    },
  );

  it("waits for a forwarded write that is being taken over", async () => {
    const data = new Map<string, string>();
    const slow = slowStore(data);
    const { server, replica } = await setUp({ writeMode: "push_through", syncTriggers: [] }, slow.store);
    await replica.manager.syncNow("posts");
    const { hash } = JSON.parse(data.get("posts/doc") ?? "");
    server.on("/v1/push/posts/doc", async (request, response) => {
      const { computeHash } = await import("@drakkar.software/starfish-protocol");
      return hostile.status(200, {}, { hash: await computeHash({ n: 2 }), timestamp: 1 })(request, response);
    });
    const pushed = replica.manager.proxyPush("posts", JSON.stringify({ data: { n: 2 }, baseHash: hash }));
    await waitFor(() => slow.writing === 1, { everyMs: 1 });
    await replica.manager.stop();
    expect(slow.writing).toBe(0);
    expect(JSON.parse(data.get("posts/doc") ?? "").data).toEqual({ n: 2 });
    expect((await pushed).status).toBe(200);
  });

  it("may come twice, at once or one after the other, and before any start", async () => {
    const { replica, server } = await setUp();
    await replica.manager.stop();
    await replica.manager.stop();
    replica.manager.start();
    await waitFor(() => server.count() > 2);
    await Promise.all([replica.manager.stop(), replica.manager.stop()]);
    const asked = server.count();
    await realDelay(60);
    expect(server.count()).toBe(asked);
  });

  it("may be followed by start(), again and again", async () => {
    const { replica, server } = await setUp({ writeMode: "push_through" });
    for (let round = 1; round <= 5; round++) {
      server.on(PULL, hostile.document({ round }));
      replica.manager.start();
      await waitFor(async () => (await replica.get("/pull/posts/doc")).body.data.round === round);
      server.on("/v1/push/posts/doc", hostile.status(403));
      expect((await replica.push("/push/posts/doc", { data: {}, baseHash: null })).status).toBe(403);
      await replica.manager.stop();
    }
    expect(replica.errors).toEqual([]);
  });

  it("is the plugin's shutdown, after which reads are still answered from the local copy", async () => {
    const { replica } = await setUp();
    await replica.manager.syncNow("posts");
    await replica.plugin.shutdown?.();
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ n: 1 });
  });
});

describe("start()", () => {
  async function pollsWithin(server: HostileServer, ms: number): Promise<number> {
    const before = server.count();
    await realDelay(ms);
    return server.count() - before;
  }

  it("twice does not poll twice", async () => {
    const server = await startHostileServer();
    let active = 0;
    let most = 0;
    server.on("*", async (request, response) => {
      most = Math.max(most, ++active);
      await realDelay(5);
      active -= 1;
      return hostile.document({ n: 1 })(request, response);
    });
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(server.url, "posts", { syncTriggers: ["scheduled"], intervalMs: 100 }) },
    });
    for (let start = 0; start < 5; start++) replica.manager.start();
    await waitFor(() => server.count() >= 2);
    for (let start = 0; start < 5; start++) replica.manager.start();
    // An interval of 100 ms and 10 % of jitter.
    expect(await pollsWithin(server, 500)).toBeLessThanOrEqual(6);
    expect(most).toBe(1);
  });
});

/** A store whose writes take a while. */
function slowStore(data: Map<string, string>): { readonly store: ObjectStore; readonly writing: number } {
  const store = new MemoryObjectStore(data);
  const put = store.put.bind(store);
  let writing = 0;
  store.put = async (...args) => {
    writing += 1;
    await realDelay(15);
    await put(...args);
    writing -= 1;
  };
  return {
    store,
    get writing() {
      return writing;
    },
  };
}
