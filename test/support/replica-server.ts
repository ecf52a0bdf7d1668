import { MemoryObjectStore, type ObjectStore } from "@drakkar.software/starfish-server";
import { type SyncHost, type SyncHostOptions, startSyncHost } from "./sync-host.js";

interface ReplicaServerOptions extends Omit<SyncHostOptions, "store"> {
  /** Default: a new, empty MemoryObjectStore. Hand one in to share it with a manager or to restart on it. */
  readonly store?: ObjectStore;
}

/**
 * Starts the server of a replica: a starfish server with the plugins under test, on a free port of 127.0.0.1, its routes under `/v1`. It
 * knows nothing of our sources; hand in the plugin. `stop()`, also done when the test ends, closes every connection and then awaits the
 * plugins' `shutdown`.
 */
export async function startReplicaServer(options: ReplicaServerOptions): Promise<SyncHost> {
  return startSyncHost({ ...options, store: options.store ?? new MemoryObjectStore(new Map()) });
}
