import { createSyncRouter, type ObjectStore, type SyncConfig } from "@drakkar.software/starfish-server";
import { Hono } from "hono";
import type { ReplicaAuth } from "../../auth/replica-auth.js";
import type { RemoteConfig } from "../../config.js";
import { createSseFeed } from "../../feeds/sse-feed.js";
import { createReplicaServerPlugin, type ReplicaServerPlugin } from "../../plugin.js";
import { collectionConfigs, DEMO_COLLECTIONS } from "./collections.js";
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

const PORT_TAKEN = "choose another --port, or leave it out for a free one";

/** Whoever starts the primary again wants to see it noticed. */
const SOON = { feed: { reconnectBaseMs: 100, reconnectCapMs: 500 }, backOff: { baseMs: 200, capMs: 1_000 } } as const;

/** Starts a replica server on 127.0.0.1. It syncs once its plugin's manager is started; `stop()` does not stop that. */
export async function startDemoReplica({ store, primaryUrl, auth, port }: DemoReplicaOptions): Promise<DemoReplica> {
  const config: SyncConfig = { version: 1, collections: collectionConfigs("public", "public") };
  const plugin = createReplicaServerPlugin({
    store,
    syncConfig: config,
    collections: remoteConfigs(primaryUrl),
    auth,
    feed: createSseFeed({ url: `${primaryUrl}/changes`, auth, ...SOON.feed }),
    backOff: SOON.backOff,
  });
  const router = createSyncRouter({
    store,
    config,
    plugins: [plugin],
    roleResolver: async () => ({ identity: "", roles: ["public"] }),
  });
  const { origin, stop } = await listen(new Hono().route("/v1", router), port, PORT_TAKEN);
  return { url: `${origin}/v1`, store, plugin, stop };
}

/** How it follows each collection. */
function remoteConfigs(primaryUrl: string): Record<string, RemoteConfig> {
  return Object.fromEntries(
    DEMO_COLLECTIONS.map(({ name, mode, follow }) => [
      name,
      { url: primaryUrl, pullPath: `/pull/${name}`, pushPath: `/push/${name}`, writeMode: mode, ...follow },
    ]),
  );
}
