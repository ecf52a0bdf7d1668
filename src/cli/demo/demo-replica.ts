import { createSyncRouter, type ObjectStore, type SyncConfig } from "@drakkar.software/starfish-server";
import { Hono } from "hono";
import type { ReplicaAuth } from "../../auth/replica-auth.js";
import { createReplicaServerPlugin, type ReplicaServerPlugin } from "../../plugin.js";
import { collectionConfigs, remoteConfigs } from "./collections.js";
import { listen } from "./listen.js";

/** A replica that lets everybody in. */
export interface DemoReplica {
  /** Base URL of its sync routes. */
  readonly url: string;
  readonly store: ObjectStore;
  readonly plugin: ReplicaServerPlugin;
  stop(): Promise<void>;
}

interface DemoReplicaOptions {
  readonly store: ObjectStore;
  readonly primaryUrl: string;
  /** Signs what goes to the primary. */
  readonly auth: ReplicaAuth;
  /** 0: any free one. */
  readonly port: number;
}

/** Starts a replica server on 127.0.0.1. It syncs once its plugin's manager is started; `stop()` does not stop that. */
export async function startDemoReplica({ store, primaryUrl, auth, port }: DemoReplicaOptions): Promise<DemoReplica> {
  const config: SyncConfig = { version: 1, collections: collectionConfigs("public", "public") };
  const plugin = createReplicaServerPlugin({
    store,
    syncConfig: config,
    collections: remoteConfigs(primaryUrl),
    auth,
  });
  const router = createSyncRouter({
    store,
    config,
    plugins: [plugin],
    roleResolver: async () => ({ identity: "", roles: ["public"] }),
  });
  const { origin, stop } = await listen(new Hono().route("/v1", router), port);
  return { url: `${origin}/v1`, store, plugin, stop };
}
