import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import type { ReplicaError } from "../../src/errors.js";
import { createSseFeed } from "../../src/feeds/sse-feed.js";
import { collection } from "../support/collection.js";
import { realDelay, realNow } from "../support/real-time.js";
import { size } from "../support/size.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";
import { startChangesHost } from "./changes-host.js";
import { recordingHandler, subscribed } from "./recording-handler.js";

const RECONNECT = { reconnectBaseMs: 10, reconnectCapMs: 50 };

async function throughProxy(options: Parameters<typeof startChangesHost>[0] = {}) {
  const host = await startChangesHost(options);
  const proxy = await startTcpProxy(host.port);
  const errors: ReplicaError[] = [];
  const feed = createSseFeed({
    url: `${proxy.origin}/v1/changes`,
    ...RECONNECT,
    connectTimeoutMs: 200,
    onError: (error) => errors.push(error),
  });
  return { host, proxy, errors, feed, handler: await subscribed(feed) };
}

describe("a feed over SSE", () => {
  it.each(["reset", "end"] as const)(
    "misses nothing and has nothing checked when its line is cut (%s)",
    async (how) => {
      const { host, proxy, handler } = await throughProxy();
      const hashes: string[] = [];
      for (let round = 0; round < 10; round++) {
        hashes.push((await host.push("posts/doc")).hash);
        proxy.cut(how);
        hashes.push((await host.push("posts/doc")).hash);
      }
      await handler.heard(hashes.at(-1) ?? "");
      expect(new Set(handler.hashes)).toEqual(new Set(hashes));
      expect(handler.gaps).toBe(1);
    },
  );

  it("says that there is a gap when the server was restarted, even if it looks the same", async () => {
    const store = new MemoryObjectStore(new Map());
    const host = await startChangesHost({ store });
    const feed = createSseFeed({ url: host.changesUrl, ...RECONNECT });
    const handler = await subscribed(feed);
    await handler.heard((await host.push("posts/doc")).hash);
    await host.stop();
    const again = await startChangesHost({ store, port: host.port });
    await again.push("posts/doc");
    await handler.gapped(2);
    await handler.heard((await again.push("posts/doc")).hash);
    expect(handler.gaps).toBe(2);
  });

  it("says that there is a gap when more happened meanwhile than the server keeps", async () => {
    const { host, proxy, handler } = await throughProxy({ bufferSize: 10 });
    await proxy.refuse();
    for (let n = 0; n < 11; n++) await host.push("posts/doc");
    await proxy.pass();
    await handler.gapped(2);
    await handler.heard((await host.push("posts/doc")).hash);
    expect(handler.gaps).toBe(2);
    expect(handler.events).toHaveLength(1);
  });

  it("notices a line that swallows everything by the missing heartbeats", async () => {
    const { host, proxy, handler, errors } = await throughProxy({ heartbeatMs: 40 });
    proxy.blackHole();
    const missed = await host.push("posts/doc");
    await waitFor(() => errors.some(({ code }) => code === "PRIMARY_TIMEOUT"));
    await proxy.pass({ keepDead: true });
    await handler.heard(missed.hash);
    expect(handler.gaps).toBe(1);
  });

  it("reads a line that hands on a few bytes at a time", async () => {
    const { host, proxy, handler } = await throughProxy();
    proxy.drip(7, 1);
    const hashes = [(await host.push("posts/doc")).hash, (await host.push("posts/doc")).hash];
    await handler.heard(hashes[1] ?? "");
    expect(handler.hashes).toEqual(hashes);
  });

  it("converges whatever happens to line and server, in whatever order", async () => {
    const store = new MemoryObjectStore(new Map());
    const names = ["a", "b", "c"];
    const options = {
      collections: names.map((name) => collection(name)),
      store,
      heartbeatMs: 30,
      bufferSize: 5,
      maxConnectionMs: 400,
    };
    let host = await startChangesHost(options);
    const proxy = await startTcpProxy(host.port);
    const feed = createSseFeed({ url: `${proxy.origin}/v1/changes`, ...RECONNECT, connectTimeoutMs: 100 });
    // A replica in small: what it was told, and after a gap what there is.
    const known = new Map<string, string>();
    const stored = async (key: string) => JSON.parse((await store.getString(key)) ?? "{}").hash as string;
    const end = new AbortController();
    feed.subscribe(
      {
        change: ({ key, hash }) => known.set(key, hash),
        gap: async () => {
          for (const name of names) known.set(`${name}/doc`, await stored(`${name}/doc`));
        },
      },
      end.signal,
    );
    const happenings = [
      async () => proxy.cut("reset"),
      async () => proxy.cut("end"),
      async () => proxy.blackHole(),
      async () => proxy.resetAfter(300),
      async () => await proxy.refuse(),
      async () => await proxy.pass(),
      async () => await proxy.pass({ keepDead: true }),
      async () => {
        await host.stop();
        host = await startChangesHost({ ...options, port: host.port });
      },
    ];
    const rounds = size({ test: 40, ci: 100, soak: 1_000 });
    for (let round = 0; round < rounds; round++) {
      await happenings[Math.floor(Math.random() * happenings.length)]?.();
      for (let n = Math.floor(Math.random() * 8); n > 0; n--) {
        await host.push(`${names[Math.floor(Math.random() * names.length)]}/doc`);
      }
      await realDelay(Math.random() * 30);
    }
    await proxy.pass();
    const written = await Promise.all(names.map((name) => host.push(`${name}/doc`)));
    for (const { key, hash } of written) await waitFor(() => known.get(key) === hash, { what: `the newest ${key}` });
    end.abort();
  }, 120_000);

  it("tells of a write within milliseconds", async () => {
    const { host, handler } = await throughProxy();
    const times: number[] = [];
    for (let n = 0; n < 50; n++) {
      const since = realNow();
      await host.changes.publish({
        collection: "posts",
        namespace: null,
        key: "posts/doc",
        hash: `${n}`,
        timestamp: 1,
      });
      await waitFor(() => handler.hashes.includes(`${n}`), { everyMs: 0 });
      times.push(realNow() - since);
    }
    times.sort((a, b) => a - b);
    expect(times[25]).toBeLessThan(50);
  });

  it("closes at once when its subscriber leaves, in whatever state the line is", async () => {
    const { host, proxy } = await throughProxy();
    for (const happens of [() => proxy.pass(), () => proxy.blackHole(), () => proxy.refuse()]) {
      await happens();
      const end = new AbortController();
      const subscription = createSseFeed({ url: `${proxy.origin}/v1/changes`, ...RECONNECT }).subscribe(
        recordingHandler(),
        end.signal,
      );
      await realDelay(30);
      const since = realNow();
      await subscription[Symbol.asyncDispose]();
      expect(realNow() - since).toBeLessThan(500);
    }
    await waitFor(() => host.changes.subscribers <= 1);
  });
});
