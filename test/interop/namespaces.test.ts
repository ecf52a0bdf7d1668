import { describe, expect, it } from "vitest";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";

const ROOT = collection("posts");
const SPACED = collection("posts", { storagePath: "ns/posts/doc" });

describe("collections of one name in the root and in a namespace", () => {
  it("are different: only the configured one is touched", async () => {
    const primary = await startPrimary({ collections: [ROOT], namespaces: { ns: [SPACED] } });
    const replica = await startReplica({
      collections: [ROOT],
      namespaces: { ns: [SPACED] },
      remotes: { posts: remote(primary.url, "posts", { writeMode: "push_through" }) },
    });
    const { status } = await replica.push("/ns/push/ns/posts/doc", { data: { local: true }, baseHash: null });
    expect(status).toBe(200);
    expect(primary.pushes).toHaveLength(0);
    expect((await primary.read("posts")).hash).toBe("");
    expect((await replica.get("/ns/pull/ns/posts/doc")).body.data).toEqual({ local: true });
    expect((await replica.push("/push/posts/doc", { data: { root: true }, baseHash: null })).status).toBe(200);
    expect(primary.pushes).toHaveLength(1);
  });

  it("are replicated each by its own remote, under names of their own", async () => {
    const primary = await startPrimary({ collections: [ROOT], namespaces: { ns: [SPACED] } });
    const replica = await startReplica({
      collections: [ROOT],
      namespaces: { ns: [SPACED] },
      remotes: { posts: remote(primary.url, "posts") },
      namespaceRemotes: {
        ns: {
          posts: remote(primary.url, "posts", {
            pullPath: "/ns/pull/ns/posts/doc",
            pushPath: "/ns/push/ns/posts/doc",
            writeMode: "bidirectional",
          }),
        },
      },
    });
    await primary.write("posts", { where: "root" });
    await primary.write("posts", { where: "ns" }, { namespace: "ns" });
    await replica.manager.syncAll();
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ where: "root" });
    const spaced = (await replica.get("/ns/pull/ns/posts/doc")).body;
    expect(spaced.data).toEqual({ where: "ns" });
    expect((await replica.push("/push/posts/doc", { data: {}, baseHash: null })).status).toBe(405);
    const edit = { data: { where: "ns", edited: 1 }, baseHash: spaced.hash };
    expect((await replica.push("/ns/push/ns/posts/doc", edit)).status).toBe(200);
    await replica.manager.syncNow("ns/posts");
    expect((await replica.get("/ns/pull/ns/posts/doc")).body.data).toEqual({ where: "ns", edited: 1 });
    expect(replica.manager.status()).toMatchObject([
      { name: "posts", collection: "posts", namespace: null, writeMode: "pull_only" },
      { name: "ns/posts", collection: "posts", namespace: "ns", writeMode: "bidirectional" },
    ]);
    expect(replica.manager.remoteFor("ns/posts")?.writeMode).toBe("bidirectional");
  });
});
