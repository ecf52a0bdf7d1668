import type { SyncEndpoint, SyncEndpointParts } from "./sync-endpoint.js";

/** The endpoint over a store and accounts that are open. */
export function createSyncEndpoint(_parts: SyncEndpointParts): SyncEndpoint {
  throw new Error("under construction");
}
