import { once } from "node:events";
import { createServer } from "node:http";
import { createSyncRouter, MemoryObjectStore } from "@drakkar.software/starfish-server";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { remoteConfig, serverCollection } from "./collections.mjs";

/** A replica server with `count` collections, `c0` and on, in this process: the contender's plugin in a real starfish-server. */
export async function startReplicaHost({ createReplicaServerPlugin }, primaryUrl, overrides, count = 1) {
  const local = new Map();
  const store = new MemoryObjectStore(local);
  const names = Array.from({ length: count }, (_, index) => `c${index}`);
  const syncConfig = { version: 1, collections: names.map((name) => serverCollection(name)) };
  const plugin = createReplicaServerPlugin({
    store,
    syncConfig,
    collections: Object.fromEntries(names.map((name) => [name, remoteConfig(name, primaryUrl, overrides)])),
    // Not to the console: what was not in step shows in the numbers.
    onError: () => {},
  });
  const roleResolver = async () => ({ identity: "", roles: ["public"] });
  const router = createSyncRouter({ store, config: syncConfig, plugins: [plugin], roleResolver });
  const server = createServer(getRequestListener(new Hono().route("/v1", router).fetch));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    server,
    manager: plugin.manager,
    port: server.address().port,
    /** The local copy's data of `c0`, or `undefined`. */
    localData: () => local.has("c0/doc") && JSON.parse(local.get("c0/doc")).data,
    async stop() {
      server.closeAllConnections();
      await plugin.shutdown();
    },
  };
}
