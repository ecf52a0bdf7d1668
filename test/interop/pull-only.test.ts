import { StarfishClient } from "@drakkar.software/starfish-client";
import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";

const KEY = "posts/doc";

describe("a pull_only collection", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  async function setUp(overrides: Parameters<typeof remote>[2] = {}) {
    const primary = await startPrimary();
    const data = new Map<string, string>();
    const store = new MemoryObjectStore(data);
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts", overrides) },
      store,
    });
    return { primary, replica, store, data };
  }

  it("serves the primary's document under the primary's hash, to a real client too", async () => {
    const { primary, replica } = await setUp();
    const hash = await primary.write("posts", { title: "one", tags: ["a"] });
    await replica.manager.syncNow("posts");
    const { status, body } = await replica.get("/pull/posts/doc");
    expect(status).toBe(200);
    expect(body).toMatchObject({ data: { title: "one", tags: ["a"] }, hash });
    const client = new StarfishClient({ baseUrl: replica.url });
    expect(await client.pull("/pull/posts/doc")).toMatchObject({ data: { title: "one", tags: ["a"] }, hash });
  });

  it("refuses writes with 405 and the words that clients know", async () => {
    const { replica, data } = await setUp();
    const { status, body } = await replica.push("/push/posts/doc", { data: { a: 1 }, baseHash: null });
    expect(status).toBe(405);
    expect(body).toEqual({ error: "This collection is read-only on this server" });
    expect(data.size).toBe(0);
  });

  it("asks conditionally: an unchanged poll of a megabyte moves under 1 KB and writes nothing", async () => {
    const { primary, replica, store, data } = await setUp();
    await primary.write("posts", { text: "x".repeat(1_000_000) });
    await replica.manager.syncNow("posts");
    const put = vi.spyOn(store, "put");
    const before = data.get(KEY);
    await replica.manager.syncNow("posts");
    const poll = primary.requests.at(-1);
    expect(poll?.status).toBe(304);
    expect(poll?.bytesSent).toBeLessThan(1_000);
    expect(put).not.toHaveBeenCalled();
    expect(data.get(KEY)).toBe(before);
  });

  it("needs no memory for that: a restarted replica gets a 304", async () => {
    const { primary, replica, store } = await setUp();
    await primary.write("posts", { a: 1 });
    await replica.manager.syncNow("posts");
    await replica.stop();
    const again = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts") },
      store,
    });
    await again.manager.syncNow("posts");
    expect(primary.requests.at(-1)?.status).toBe(304);
  });

  it("keeps the author's proof", async () => {
    const { primary, replica } = await setUp();
    const author = { pubkey: "ab".repeat(32), signature: "c2ln" };
    await primary.write("posts", { a: 1 }, { author });
    await replica.manager.syncNow("posts");
    const { body } = await replica.get("/pull/posts/doc");
    expect(body).toMatchObject({ authorPubkey: author.pubkey, authorSignature: author.signature });
  });

  it("drops unsafe keys, inside arrays too, and the proof with them, and still polls for 304", async () => {
    const { primary, replica } = await setUp();
    const poisoned = JSON.parse('{"a":1,"list":[{"constructor":{"x":1},"b":2}]}');
    await primary.write("posts", poisoned, { author: { pubkey: "ab".repeat(32), signature: "c2ln" } });
    await replica.manager.syncNow("posts");
    const { body } = await replica.get("/pull/posts/doc");
    expect(body.data).toEqual({ a: 1, list: [{ b: 2 }] });
    expect(body.authorSignature).toBeUndefined();
    await replica.manager.syncNow("posts");
    expect(primary.requests.at(-1)?.status).toBe(304);
  });

  it("does not rewrite a document that the primary filters for its readers", async () => {
    const primary = await startPrimary({
      collections: [collection("posts", { fieldPermissions: { secret: { readRoles: ["admin"] } } })],
    });
    const store = new MemoryObjectStore(new Map());
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts") },
      store,
    });
    const hash = await primary.write("posts", { a: 1, secret: 2 });
    await replica.manager.syncNow("posts");
    const put = vi.spyOn(store, "put");
    await replica.manager.syncNow("posts");
    await replica.manager.syncNow("posts");
    expect(put).not.toHaveBeenCalled();
    expect((await replica.get("/pull/posts/doc")).body).toMatchObject({ data: { a: 1 }, hash });
  });

  it.each([
    ["is not JSON", "{{{"],
    ["is empty", ""],
    ["is JSON null", "null"],
    ["is no object", "[1]"],
    ["has no hash", '{"v":1,"data":{"a":1}}'],
    ["has a hash that is no string", '{"v":1,"data":{"a":1},"hash":5}'],
    ["has an empty hash", '{"v":1,"data":{"a":1},"hash":""}'],
    ["has no data", '{"v":1,"hash":"abc"}'],
    ["has data that is no object", '{"v":1,"data":[1],"hash":"abc"}'],
  ])("heals a local document that %s", async (_what, corrupt) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { primary, replica, data } = await setUp();
    const hash = await primary.write("posts", { a: 1 });
    data.set(KEY, corrupt);
    await replica.manager.syncNow("posts");
    expect((await replica.get("/pull/posts/doc")).body).toMatchObject({ data: { a: 1 }, hash });
    data.set(KEY, corrupt);
    await replica.manager.syncNow("posts");
    expect((await replica.get("/pull/posts/doc")).body).toMatchObject({ data: { a: 1 }, hash });
  });

  it("keeps the local copy when the primary has no document, and says since when", async () => {
    const { primary, replica, data } = await setUp();
    await primary.write("posts", { a: 1 });
    await replica.manager.syncNow("posts");
    const before = data.get(KEY);
    await primary.remove("posts");
    for (let poll = 0; poll < 5; poll++) await replica.manager.syncNow("posts");
    expect(data.get(KEY)).toBe(before);
    expect(replica.manager.status()[0]?.missingSince).toMatch(/^\d{4}-.*Z$/);
    await primary.write("posts", { a: 2 });
    await replica.manager.syncNow("posts");
    expect(replica.manager.status()[0]?.missingSince).toBeNull();
  });

  it('removes it with missing: "remove" after three polls and the grace time, not before', async () => {
    const { primary, replica, data } = await setUp({ missing: "remove", missingGraceMs: 0 });
    await primary.write("posts", { a: 1 });
    await replica.manager.syncNow("posts");
    await primary.remove("posts");
    await replica.manager.syncNow("posts");
    await replica.manager.syncNow("posts");
    expect(data.has(KEY)).toBe(true);
    await replica.manager.syncNow("posts");
    expect(data.has(KEY)).toBe(false);

    const patient = await setUp({ missing: "remove", missingGraceMs: 3_600_000 });
    await patient.primary.write("posts", { a: 1 });
    await patient.replica.manager.syncNow("posts");
    await patient.primary.remove("posts");
    for (let poll = 0; poll < 5; poll++) await patient.replica.manager.syncNow("posts");
    expect(patient.data.has(KEY)).toBe(true);
  });

  it("hands the host's context to every store call", async () => {
    const { primary, replica, store } = await setUp();
    const calls = ["getString", "put", "delete"].map((method) => vi.spyOn(store, method as "put"));
    await primary.write("posts", { a: 1 });
    await replica.manager.syncNow("posts");
    const contexts = calls.flatMap((call) => call.mock.calls.map((args) => args.at(-1)));
    expect(contexts.length).toBeGreaterThan(1);
    for (const context of contexts) {
      expect(context).toMatchObject({
        collection: "posts",
        params: {},
        identity: null,
        roles: [],
        action: expect.any(String),
      });
    }
  });
});
