import { describe, expect, it } from "vitest";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";
import { waitFor } from "../support/wait.js";

describe("outboxes of one collection name in two namespaces and the root", () => {
  it("send each to its own place, and one's dead letter is nobody else's", async () => {
    const at = (path: string) => [collection("posts", { storagePath: path })];
    const primary = await startPrimary({
      collections: at("posts/root"),
      namespaces: { a: at("posts/a"), b: at("posts/b") },
    });
    const mode = { writeMode: "bidirectional" } as const;
    const there = (path: string) =>
      remote(primary.url, "posts", {
        ...mode,
        pullPath: path.replace("*", "pull"),
        pushPath: path.replace("*", "push"),
      });
    const replica = await startReplica({
      collections: at("posts/root"),
      remotes: { posts: there("/*/posts/root") },
      namespaces: { a: at("posts/a"), b: at("posts/b") },
      namespaceRemotes: { a: { posts: there("/a/*/posts/a") }, b: { posts: there("/b/*/posts/b") } },
      backOff: { baseMs: 20, capMs: 100 },
    });
    primary.failWith(413, {}, { when: "POST /v1/b/push" });
    replica.manager.start();
    const push = async (path: string, data: Record<string, unknown>) =>
      expect((await replica.push(path, { data, baseHash: null })).status).toBe(200);
    await push("/push/posts/root", { root: 1 });
    await push("/a/push/posts/a", { a: 1 });
    await push("/b/push/posts/b", { b: 1 });
    await waitFor(async () => (await primary.read("posts")).data.root === 1);
    await waitFor(async () => (await primary.read("posts", { namespace: "a" })).data.a === 1);
    const letters = () =>
      Object.fromEntries(
        replica.manager.status().map(({ name, outbox }) => [name, outbox?.deadLetter?.status ?? null]),
      );
    await waitFor(() => letters()["b/posts"]);
    expect(letters()).toEqual({ posts: null, "a/posts": null, "b/posts": 413 });
    primary.failWith(null);
    expect(await replica.manager.retryDeadLetter("posts")).toBe(false);
    expect(await replica.manager.retryDeadLetter("b/posts")).toBe(true);
    await waitFor(async () => (await primary.read("posts", { namespace: "b" })).data.b === 1);
    expect((await primary.read("posts", { namespace: "b" })).data).toEqual({ b: 1 });
  });
});
