import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it, vi } from "vitest";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";

describe("a bidirectional collection", () => {
  async function setUp(primaryCollection = collection("posts")) {
    const primary = await startPrimary({ collections: [primaryCollection] });
    const data = new Map<string, string>();
    const store = new MemoryObjectStore(data);
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts", { writeMode: "bidirectional" }) },
      store,
    });
    const read = async () => (await replica.get("/pull/posts/doc")).body;
    const write = async (change: Record<string, unknown>) => {
      const { hash, data: current } = await read();
      const next = JSON.parse(JSON.stringify({ ...current, ...change }));
      const { status } = await replica.push("/push/posts/doc", { data: next, baseHash: hash === "" ? null : hash });
      expect(status).toBe(200);
    };
    return { primary, replica, store, data, read, write, sync: () => replica.manager.syncNow("posts") };
  }

  it("stores a client's write at once, without the primary", async () => {
    const { primary, read, write } = await setUp();
    await write({ a: 1 });
    expect((await read()).data).toEqual({ a: 1 });
    expect(primary.requests).toHaveLength(0);
  });

  it("merges the primary's change with a local edit, and keeps both on every later poll", async () => {
    const { primary, read, write, sync, store } = await setUp();
    await primary.write("posts", { a: 1, b: 1 });
    await sync();
    await write({ a: 2 });
    await primary.write("posts", { a: 1, b: 2, c: 3 });
    await sync();
    expect((await read()).data).toEqual({ a: 2, b: 2, c: 3 });
    const put = vi.spyOn(store, "put");
    for (let poll = 0; poll < 3; poll++) await sync();
    expect(primary.requests.at(-1)?.status).toBe(304);
    expect(put).not.toHaveBeenCalled();
    expect((await read()).data).toEqual({ a: 2, b: 2, c: 3 });
  });

  it("does not take back local edits on an unchanged poll", async () => {
    const { primary, read, write, sync } = await setUp();
    await primary.write("posts", { a: 1 });
    await sync();
    await write({ a: 2 });
    await sync();
    expect((await read()).data).toEqual({ a: 2 });
  });

  it("lets the remote win where both changed one field, and a deletion at the primary go through", async () => {
    const { primary, read, write, sync } = await setUp();
    await primary.write("posts", { a: 1, gone: 1, keep: 1 });
    await sync();
    await write({ a: "local", mine: 1 });
    await primary.write("posts", { a: "remote", keep: 1 });
    await sync();
    expect((await read()).data).toEqual({ a: "remote", keep: 1, mine: 1 });
  });

  it("keeps a local deletion while the primary still has the field", async () => {
    const { primary, read, write, sync } = await setUp();
    await primary.write("posts", { a: 1, b: 1 });
    await sync();
    await write({ a: undefined });
    await primary.write("posts", { a: 1, b: 2 });
    await sync();
    expect((await read()).data).toEqual({ b: 2 });
  });

  it("without a known base keeps what exists only locally", async () => {
    const { primary, read, write, sync } = await setUp();
    await write({ local: 1, both: "local" });
    await primary.write("posts", { remote: 1, both: "remote" });
    await sync();
    expect((await read()).data).toEqual({ local: 1, remote: 1, both: "remote" });
  });

  it("takes over the primary's document, hash and proof where there was nothing to merge", async () => {
    const { primary, read, sync } = await setUp();
    const author = { pubkey: "ab".repeat(32), signature: "c2ln" };
    const hash = await primary.write("posts", { a: 1 }, { author });
    await sync();
    expect(await read()).toMatchObject({ data: { a: 1 }, hash, authorSignature: "c2ln" });
  });

  it("drops the proof of a document that a merge has changed", async () => {
    const { primary, read, write, sync } = await setUp();
    await primary.write("posts", { a: 1 });
    await sync();
    await write({ mine: 1 });
    await primary.write("posts", { a: 2 }, { author: { pubkey: "ab".repeat(32), signature: "c2ln" } });
    await sync();
    const body = await read();
    expect(body.data).toEqual({ a: 2, mine: 1 });
    expect(body.authorSignature).toBeUndefined();
  });

  it("does not rewrite anything while a primary filters fields", async () => {
    const { primary, sync, store, read } = await setUp(
      collection("posts", { fieldPermissions: { secret: { readRoles: ["admin"] } } }),
    );
    await primary.write("posts", { a: 1, secret: 1 });
    await sync();
    const put = vi.spyOn(store, "put");
    await sync();
    await sync();
    expect(put).not.toHaveBeenCalled();
    expect((await read()).data).toEqual({ a: 1 });
  });

  it("merges at full speed on both sides without losing an edit", async () => {
    const { primary, read, sync, replica } = await setUp();
    const rounds = 30;
    await primary.write("posts", { remote: 0 });
    await sync();
    const localWrites = (async () => {
      for (let n = 1; n <= rounds; ) {
        const { data: current, hash } = await read();
        const { status } = await replica.push("/push/posts/doc", {
          data: { ...current, [`l${n}`]: n },
          baseHash: hash,
        });
        if (status === 200) n += 1;
      }
    })();
    for (let n = 1; n <= rounds; n++) {
      await primary.write("posts", { remote: n });
      await sync();
    }
    await localWrites;
    await sync();
    const { data: merged } = await read();
    expect(merged.remote).toBe(rounds);
    for (let n = 1; n <= rounds; n++) expect(merged[`l${n}`]).toBe(n);
  });

  it("survives a restart: the base is remembered, and a local edit is still one", async () => {
    const { primary, replica, sync, write, store } = await setUp();
    await primary.write("posts", { a: 1, b: 1 });
    await sync();
    await write({ a: 2 });
    await replica.stop();
    const again = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts", { writeMode: "bidirectional" }) },
      store,
    });
    await again.manager.syncNow("posts");
    expect(primary.requests.at(-1)?.status).toBe(304);
    await primary.write("posts", { a: 1, b: 2 });
    await again.manager.syncNow("posts");
    expect((await again.get("/pull/posts/doc")).body.data).toEqual({ a: 2, b: 2 });
  });

  it.each(["{{{", '{"v":2}', "null", '{"v":1,"base":{"data":[]},"intent":7}'])(
    "merges without a base where its record is damaged: %s",
    async (damaged) => {
      const { primary, replica, write, store, data } = await setUp();
      await primary.write("posts", { a: 1 });
      await replica.manager.syncNow("posts");
      await write({ mine: 1 });
      await replica.stop();
      data.set("_replica/posts", damaged);
      const again = await startReplica({
        collections: [collection("posts")],
        remotes: { posts: remote(primary.url, "posts", { writeMode: "bidirectional" }) },
        store,
      });
      await again.manager.syncNow("posts");
      expect((await again.get("/pull/posts/doc")).body.data).toEqual({ a: 1, mine: 1 });
    },
  );
});
