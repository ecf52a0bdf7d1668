import { StarfishClient } from "@drakkar.software/starfish-client";
import { describe, expect, it, vi } from "vitest";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";

describe("a push_only collection", () => {
  async function setUp() {
    const primary = await startPrimary({ collections: [collection("inbox"), collection("posts")] });
    const replica = await startReplica({
      collections: [collection("inbox"), collection("posts"), collection("any", { storagePath: "inbox/{id}" })],
      remotes: {
        inbox: remote(primary.url, "inbox", { writeMode: "push_only", syncTriggers: ["scheduled", "on_pull"] }),
        posts: remote(primary.url, "posts"),
      },
      // Anonymous readers are let in, but only by asking the resolver.
      roleResolver: vi.fn(async () => ({ identity: "", roles: ["public"] })),
    });
    return { primary, replica };
  }
  const writeOnly = { error: "This collection is write-only on this server" };

  it("stores a client's write here and pulls nothing", async () => {
    const { primary, replica } = await setUp();
    await primary.write("inbox", { from: "primary" });
    expect((await replica.push("/push/inbox/doc", { data: { a: 1 }, baseHash: null })).status).toBe(200);
    await replica.manager.syncNow("inbox");
    expect(primary.requests).toHaveLength(0);
    expect(JSON.parse((await replica.store.getString("inbox/doc")) ?? "null")).toMatchObject({ data: { a: 1 } });
  });

  it("refuses reads on /pull, in /batch/pull, and through a templated collection that reaches the document", async () => {
    const { replica } = await setUp();
    await replica.push("/push/inbox/doc", { data: { secret: 1 }, baseHash: null });
    const pull = await replica.get("/pull/inbox/doc");
    expect([pull.status, pull.body]).toEqual([405, writeOnly]);
    const params = encodeURIComponent(JSON.stringify({ any: [{ id: "doc" }, { id: "other" }] }));
    const batch = await replica.get(`/batch/pull?collections=inbox,posts,any&params=${params}`);
    expect(batch.status).toBe(200);
    expect(batch.body.collections).toMatchObject({
      inbox: [writeOnly],
      posts: [{ data: {}, hash: "" }],
      any: [writeOnly, { data: {}, hash: "" }],
    });
    const client = new StarfishClient({ baseUrl: replica.url });
    expect((await client.batchPull(["inbox"])).collections.inbox).toEqual([writeOnly]);
  });

  it("leaves other collections as they were", async () => {
    const { primary, replica } = await setUp();
    await primary.write("posts", { a: 1 });
    await replica.manager.syncNow("posts");
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ a: 1 });
  });
});

describe("the plugin's authorize hook", () => {
  it("is there only when a push_only collection needs it, so that the host's fast path for public readers stays", async () => {
    const resolver = vi.fn(async () => ({ identity: "", roles: ["public"] }));
    const primary = await startPrimary();
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts") },
      roleResolver: resolver,
    });
    expect(replica.plugin.authorize).toBeUndefined();
    await replica.get("/pull/posts/doc");
    expect(resolver).not.toHaveBeenCalled();
  });
});

describe("a document that a templated collection reaches too", () => {
  it("cannot be written past its mode", async () => {
    const primary = await startPrimary();
    await primary.write("posts", { a: 1 });
    const replica = await startReplica({
      collections: [collection("posts"), collection("any", { storagePath: "posts/{id}" })],
      remotes: { posts: remote(primary.url, "posts") },
      namespaces: { ns: [collection("all", { storagePath: "{kind}/{id}" })] },
    });
    await replica.manager.syncNow("posts");
    const body = { data: { evil: true }, baseHash: (await replica.get("/pull/posts/doc")).body.hash };
    for (const path of ["/push/posts/doc", "/ns/push/posts/doc"]) {
      const { status } = await replica.push(path, body);
      expect([405, 409]).toContain(status);
    }
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ a: 1 });
    expect((await replica.push("/push/posts/other", { data: { b: 1 }, baseHash: null })).status).toBe(200);
  });
});
