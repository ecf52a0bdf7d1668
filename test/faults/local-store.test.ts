import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { WriteMode } from "../../src/modes/write-mode.js";
import { collection } from "../support/collection.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { remote, startReplica } from "../support/replica.js";
import { waitFor } from "../support/wait.js";
import { dyingStore } from "./dying-store.js";
import { MergeStory } from "./merge-story.js";

// The host says on the console that a stored document is corrupt.
beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

const damaged: Readonly<Record<string, string>> = {
  "an empty value": "",
  "half a document": '{"v":1,"data":{"a":1},"ha',
  null: "null",
  "a number": "7",
  "a truth": "true",
  "a string": '"text"',
  "a list": "[]",
  "an object of something else": '{"some":"thing"}',
  "a document without a hash": '{"v":1,"data":{"a":1},"ts":1}',
  "a hash that is a number": '{"v":1,"data":{"a":1},"ts":1,"hash":1}',
  "an empty hash": '{"v":1,"data":{"a":1},"ts":1,"hash":""}',
  "no data": '{"v":1,"ts":1,"hash":"h"}',
  "a hash with a line break": '{"v":1,"data":{"a":1},"ts":1,"hash":"a\\nb"}',
  "a hash with a quote": '{"v":1,"data":{"a":1},"ts":1,"hash":"a\\"b"}',
  "a hash beyond ASCII": '{"v":1,"data":{"a":1},"ts":1,"hash":"é…"}',
  "data that is a list": '{"v":1,"data":[],"ts":1,"hash":"h"}',
};

describe.each(["pull_only", "push_through", "bidirectional"] satisfies WriteMode[])("a %s document", (writeMode) => {
  async function setUp(data: Map<string, string>) {
    const server = await startHostileServer();
    server.on("*", hostile.document({ n: 1 }));
    const store = new MemoryObjectStore(data);
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(server.url, "posts", { writeMode, syncTriggers: ["scheduled"], intervalMs: 10 }) },
      store,
      backOff: { baseMs: 5, capMs: 20 },
    });
    return { server, replica, store };
  }
  const read = (data: Map<string, string>) => JSON.parse(data.get("posts/doc") ?? "null")?.data;

  it.each(Object.entries(damaged))("that is damaged is replaced by the primary's: %s", async (_what, value) => {
    const data = new Map([["posts/doc", value]]);
    const { replica, server } = await setUp(data);
    await replica.manager.syncNow("posts");
    expect(read(data)).toEqual({ n: 1 });
    await replica.manager.syncNow("posts");
    expect(server.requests.at(-1)?.status).toBe(304);
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ n: 1 });
  });

  it.each(["getString", "put"] as const)(
    "whose store fails in %s says so, and goes on when it is well again",
    async (method) => {
      const data = new Map<string, string>();
      const { replica, server, store } = await setUp(data);
      await replica.manager.syncNow("posts");
      const before = [...data];
      const failing = vi.spyOn(store, method).mockRejectedValue(new Error("disk full"));
      server.on("*", hostile.document({ n: 2 }));
      replica.manager.start();
      const { error } = await waitFor(() => replica.errors[0]);
      expect(error).toMatchObject({ code: "LOCAL_STORE", retryable: true, cause: { message: "disk full" } });
      expect(error.message).toMatch(
        /^posts: (reading|writing) "(posts\/doc|_replica\/posts)" in the local store failed: disk full$/,
      );
      expect([...data]).toEqual(before);
      failing.mockRestore();
      await waitFor(() => read(data).n === 2);
    },
  );
});

describe("a bidirectional document", () => {
  it("whose base record is damaged loses nobody's field", async () => {
    const merge = { base: { a: 1 }, local: { a: 1, l: 1 }, remote: { a: 2, r: 1 }, merged: {}, wiped: {} };
    const server = await startHostileServer();
    for (const record of ["", "{", "null", "[]", '{"v":2}', '{"v":1,"base":{"data":1},"intent":7}']) {
      const story = await MergeStory.start(server, merge);
      story.data.set("_replica/posts", record);
      story.restart();
      await story.sync();
      expect(story.document()).toEqual({ a: 2, l: 1, r: 1 });
    }
  });

  it("whose local writers are faster every time says so, and loses none of their edits", async () => {
    const merge = { base: { a: 1 }, local: null, remote: { a: 2 }, merged: { a: 2 }, wiped: {} };
    const story = await MergeStory.start(await startHostileServer(), merge);
    let edits = 0;
    let fast = true;
    // Each one was let in before the merge began, and reaches the store just before the merge's own write.
    const write = async () => {
      const { data, hash } = JSON.parse(story.data.get("posts/doc") ?? "");
      expect(await story.store({ ...data, edits: ++edits }, hash)).toBe(true);
    };
    const racing = dyingStore(story.data, {
      onWrite: (key) => (fast && key.startsWith("_replica") ? write() : undefined),
    });
    story.restart(racing.store);
    await expect(story.sync()).rejects.toMatchObject({ code: "LOCAL_CONFLICT", retryable: true });
    expect(edits).toBe(10);
    expect(story.document()).toEqual({ a: 1, edits: 10 });
    fast = false;
    await story.clientWrites((data) => ({ ...data, last: 1 }));
    await story.sync();
    expect(story.document()).toEqual({ a: 2, edits: 10, last: 1 });
  });
});
