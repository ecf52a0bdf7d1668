import { MemoryObjectStore, push } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import { ReplicaManager } from "../../src/manager/replica-manager.js";
import { atEnd } from "../support/at-end.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { startPrimary } from "../support/primary.js";
import { remote } from "../support/replica.js";

const PULL = "/v1/pull/posts/doc";

describe("a collection that was bidirectional, then pull_only, then bidirectional again", () => {
  async function setUp() {
    const server = await startHostileServer();
    const data = new Map<string, string>();
    const store = new MemoryObjectStore(data);
    let manager: ReplicaManager | undefined;
    const become = async (writeMode: "bidirectional" | "pull_only") => {
      await manager?.stop();
      const posts = { name: "posts", storagePath: "posts/doc", remote: remote(server.url, "posts", { writeMode }) };
      manager = new ReplicaManager(store, [posts]);
    };
    const follow = async (document: Record<string, unknown>) => {
      server.on(PULL, hostile.document(document));
      await manager?.syncNow("posts");
    };
    const stored = () => JSON.parse(data.get("posts/doc") ?? "null");
    const write = async (change: Record<string, unknown>) => {
      await manager?.beforeLocalWrite("posts");
      const { data: current, hash } = stored();
      expect(await push(store, "posts/doc", { ...current, ...change }, hash)).toHaveProperty("hash");
    };
    atEnd(() => manager?.stop());

    await become("bidirectional");
    await follow({ a: 1 });
    await become("pull_only");
    await follow({ a: 2, b: 1 });
    await become("bidirectional");
    return { follow, write, stored };
  }

  it("does not take what it followed in between for local edits", async () => {
    const { follow, stored } = await setUp();
    await follow({ a: 1, b: 2, c: 1 });
    expect(stored().data).toEqual({ a: 1, b: 2, c: 1 });
  });

  it("keeps what a client writes before the first sync", async () => {
    const { follow, write, stored } = await setUp();
    await write({ mine: 1 });
    await follow({ a: 1, b: 2, c: 1 });
    expect(stored().data).toEqual({ a: 1, b: 2, c: 1, mine: 1 });
    await write({ mine: 2 });
    await follow({ a: 1, b: 3 });
    expect(stored().data).toEqual({ a: 1, b: 3, mine: 2 });
  });
});

describe("a collection that was bidirectional, then push_through, then bidirectional again", () => {
  it("does not take a write that it forwarded in between for a local edit", async () => {
    const primary = await startPrimary();
    const store = new MemoryObjectStore(new Map());
    const as = async <T>(
      writeMode: "bidirectional" | "push_through",
      work: (manager: ReplicaManager) => Promise<T>,
    ) => {
      const posts = { name: "posts", storagePath: "posts/doc", remote: remote(primary.url, "posts", { writeMode }) };
      const manager = new ReplicaManager(store, [posts]);
      await manager.syncNow("posts");
      const result = await work(manager);
      await manager.stop();
      return result;
    };
    const hash = await primary.write("posts", { x: 1 });
    await as("bidirectional", async () => {});
    const body = JSON.stringify({ data: { x: 2 }, baseHash: hash });
    expect((await as("push_through", (manager) => manager.proxyPush("posts", body))).status).toBe(200);
    await primary.write("posts", { x: 1, reversed: true });
    await as("bidirectional", async () => {});
    expect(JSON.parse((await store.getString("posts/doc")) ?? "")).toMatchObject({ data: { x: 1, reversed: true } });
  });
});
