import { describe, expect, it } from "vitest";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";

describe("the on_pull trigger", () => {
  async function setUp(overrides: Parameters<typeof remote>[2] = {}) {
    const primary = await startPrimary();
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts", { syncTriggers: ["on_pull"], ...overrides }) },
    });
    return { primary, replica };
  }

  it("brings the primary's newest document with the read itself", async () => {
    const { primary, replica } = await setUp();
    for (let n = 1; n <= 3; n++) {
      await primary.write("posts", { n });
      expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ n });
    }
  });

  it("costs the primary one request for 500 reads at once", async () => {
    const { primary, replica } = await setUp();
    await primary.write("posts", { n: 1 });
    primary.setDelayMs(200);
    const reads = await Promise.all(
      Array.from({ length: 500 }, () => replica.plugin.beforePull?.({ collection: "posts", params: {} })),
    );
    expect(new Set(reads.map((read) => read?.action))).toEqual(new Set(["proceed"]));
    expect(primary.requests).toHaveLength(1);
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ n: 1 });
  });

  it("costs the primary one request for 500 reads at once over HTTP, within the cool-down", async () => {
    const { primary, replica } = await setUp({ onPullMinIntervalMs: 60_000 });
    await primary.write("posts", { n: 1 });
    const reads = await Promise.all(Array.from({ length: 500 }, () => replica.get("/pull/posts/doc")));
    expect(reads.every(({ body }) => body.data.n === 1)).toBe(true);
    expect(primary.requests).toHaveLength(1);
  });

  it("counts the cool-down from the last completed sync, also one that changed nothing or failed", async () => {
    const { primary, replica } = await setUp({ onPullMinIntervalMs: 60_000 });
    await primary.write("posts", { n: 1 });
    await replica.manager.syncNow("posts");
    await replica.manager.syncNow("posts");
    await replica.get("/pull/posts/doc");
    expect(primary.requests).toHaveLength(2);

    const failing = await setUp({ onPullMinIntervalMs: 60_000 });
    failing.primary.failWith(403);
    await failing.replica.get("/pull/posts/doc");
    await failing.replica.get("/pull/posts/doc");
    expect(failing.primary.requests).toHaveLength(1);
    expect(failing.replica.errors).toMatchObject([{ name: "posts", error: { code: "PRIMARY_REFUSED", status: 403 } }]);
  });

  it("answers from the local copy when the primary hangs, and piles nothing up", async () => {
    const { primary, replica } = await setUp({ onPullMaxWaitMs: 100 });
    await primary.write("posts", { n: 1 });
    await replica.get("/pull/posts/doc");
    primary.pause();
    const startedAt = performance.now();
    const reads = await Promise.all(Array.from({ length: 30 }, () => replica.get("/pull/posts/doc")));
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(reads.every(({ body }) => body.data.n === 1)).toBe(true);
    expect(primary.count((request) => request.state === "open")).toBe(1);
  });
});
