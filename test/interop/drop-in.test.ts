import {
  createSyncRouter,
  MemoryObjectStore,
  type RoleResolver,
  type SyncConfig,
} from "@drakkar.software/starfish-server";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import {
  createReplicaAuth,
  createReplicaServerPlugin,
  type RemoteCollection,
  ReplicaManager,
  validateReplicaConfig,
} from "../../src/index.js";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";

/** The examples of the README of @drakkar.software/starfish-replica 3.0.0-alpha.62, with the import renamed and a real primary's URL. */
describe("the examples of the package that this one replaces", () => {
  const config: SyncConfig = { version: 1, collections: [collection("posts", { storagePath: "posts/featured" })] };
  const roleResolver: RoleResolver = async () => ({ identity: "", roles: ["public"] });

  it("serve a collection that follows its primary", async () => {
    const primary = await startPrimary({ collections: config.collections });
    await primary.write("posts", { title: "featured" });
    const store = new MemoryObjectStore(new Map());
    const replica = createReplicaServerPlugin({
      store,
      syncConfig: config,
      collections: {
        posts: {
          url: primary.url,
          pullPath: "/pull/posts/featured",
          intervalMs: 60_000,
          headers: { Authorization: "Bearer <replica-token>" },
          writeMode: "pull_only",
          syncTriggers: ["scheduled"],
        },
      },
    });
    const router = createSyncRouter({ store, config, roleResolver, plugins: [replica] });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    const app = new Hono();
    app.route("/v1", router);
    const response = await app.request("/v1/pull/posts/featured");
    expect(await response.json()).toMatchObject({ data: { title: "featured" } });
    expect(primary.requests[0]?.headers.authorization).toBe("Bearer <replica-token>");
    await replica.shutdown?.();
  });

  it("sign every request of a manager through fetchFn", async () => {
    const primary = await startPrimary({ collections: config.collections, auth: "cap-cert" });
    const hash = await primary.write("posts", { title: "signed" });
    const auth = await createReplicaAuth({ passphrase: "platform passphrase" });
    expect(auth.userId).toMatch(/^[0-9a-f]{32}$/);
    const collections: RemoteCollection[] = [
      {
        name: "posts",
        storagePath: "posts/featured",
        remote: {
          url: primary.url,
          pullPath: "/pull/posts/featured",
          intervalMs: 60_000,
          headers: {},
          writeMode: "pull_only",
          syncTriggers: ["scheduled"],
        },
      },
    ];
    const store = new MemoryObjectStore(new Map());
    const manager = new ReplicaManager(store, collections, { fetchFn: auth.fetch });
    await manager.syncNow("posts");
    expect(JSON.parse((await store.getString("posts/featured")) ?? "")).toMatchObject({ hash });
    await manager.stop();
  });

  it("answer as before where the caller is wrong", async () => {
    const remote = {
      url: "http://127.0.0.1:9",
      pullPath: "/pull/a",
      writeMode: "pull_only",
      syncTriggers: [],
    } as const;
    expect(validateReplicaConfig(config, { nope: remote })[0]).toMatch(
      /^Collection "nope": remote replication configured for an unknown root collection/,
    );
    const manager = new ReplicaManager(new MemoryObjectStore(new Map()), []);
    await expect(manager.syncNow("x")).rejects.toThrow('[ReplicaManager] Unknown remote collection: "x"');
    await expect(manager.proxyPush("x", "{}")).rejects.toThrow('[ReplicaManager] Unknown remote collection: "x"');
    expect(manager.remoteFor("x")).toBeUndefined();
    await manager.onPull("x");
    await manager.stop();
  });
});
