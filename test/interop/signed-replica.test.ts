import { beforeAll, describe, expect, it, vi } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import type { ReplicaAuth } from "../../src/auth/replica-auth.js";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";

describe("a replica that signs its requests", () => {
  let auth: ReplicaAuth;
  beforeAll(async () => {
    auth = await createReplicaAuth({ passphrase: "correct horse battery staple" });
  });

  it.each([
    ["auth, over the pool", () => ({ auth })],
    ["fetchFn: auth.fetch", () => ({ fetchFn: auth.fetch })],
  ])("is let in by the real cap-cert resolver, all modes, with %s", async (_how, options) => {
    const names = ["a", "b", "c"];
    const primary = await startPrimary({ auth: "cap-cert", collections: names.map((name) => collection(name)) });
    const replica = await startReplica({
      collections: names.map((name) => collection(name)),
      remotes: {
        a: remote(primary.url, "a"),
        b: remote(primary.url, "b", { writeMode: "push_through" }),
        c: remote(primary.url, "c", { writeMode: "bidirectional" }),
      },
      ...options(),
    });
    for (const name of names) await primary.write(name, { name });
    await replica.manager.syncAll();
    await replica.manager.syncAll();
    expect(replica.errors).toEqual([]);
    for (const name of names) expect((await replica.get(`/pull/${name}/doc`)).body.data).toEqual({ name });
    const { hash } = (await replica.get("/pull/b/doc")).body;
    expect((await replica.push("/push/b/doc", { data: { name: "b", n: 2 }, baseHash: hash })).status).toBe(200);
    expect((await primary.read("b")).data).toEqual({ name: "b", n: 2 });
  });

  it("signs every retry afresh", async () => {
    const primary = await startPrimary({ auth: "cap-cert" });
    await primary.write("posts", { a: 1 });
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts") },
      auth,
    });
    primary.failWith(503, {}, { times: 2 });
    await replica.manager.syncNow("posts");
    const nonces = primary.requests.map(({ headers }) => headers["x-starfish-nonce"]);
    expect(nonces).toHaveLength(3);
    expect(new Set(nonces).size).toBe(3);
  });

  it("corrects a wrong clock by the primary's Date and goes on", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const ahead = await createReplicaAuth({
      passphrase: "correct horse battery staple",
      clock: () => Date.now() / 1_000 + 3_600,
    });
    const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
    const primary = await startPrimary({ auth: "cap-cert", collections: names.map((name) => collection(name)) });
    const replica = await startReplica({
      collections: names.map((name) => collection(name)),
      remotes: Object.fromEntries(names.map((name) => [name, remote(primary.url, name)])),
      auth: ahead,
    });
    await replica.manager.syncAll();
    expect(replica.errors).toEqual([]);
    const before = primary.requests.length;
    await replica.manager.syncAll();
    expect(primary.requests.slice(before).every(({ status }) => status !== 401)).toBe(true);
    vi.restoreAllMocks();
  });

  it("says which URL refused an identity that is not let in", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const primary = await startPrimary({ auth: "cap-cert" });
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts") },
    });
    await expect(replica.manager.syncNow("posts")).rejects.toMatchObject({
      code: "PRIMARY_REFUSED",
      status: 401,
      message: `${primary.url}/pull/posts/doc answered 401`,
      hint: expect.stringContaining("headers"),
    });
    vi.restoreAllMocks();
  });
});
