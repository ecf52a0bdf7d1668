import { once } from "node:events";
import { createServer } from "node:http";
import { createSyncRouter, MemoryObjectStore } from "@drakkar.software/starfish-server";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { remoteConfig, serverCollection } from "./collections.mjs";

/** A replica server with one collection, `c0`, in this process: the contender's plugin in a real starfish-server. */
export async function startReplicaHost({ createReplicaServerPlugin }, primaryUrl, overrides) {
  const local = new Map();
  const store = new MemoryObjectStore(local);
  const syncConfig = { version: 1, collections: [serverCollection("c0")] };
  const plugin = createReplicaServerPlugin({
    store,
    syncConfig,
    collections: { c0: remoteConfig("c0", primaryUrl, overrides) },
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
    /** The local copy's data, or `undefined`. */
    localData: () => local.has("c0/doc") && JSON.parse(local.get("c0/doc")).data,
    async stop() {
      server.closeAllConnections();
      await plugin.shutdown();
    },
  };
}
