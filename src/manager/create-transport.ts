import { createFetchTransport } from "../collections/fetch-transport.js";
import { createSignedTransport } from "../collections/signed-transport.js";
import type { Transport } from "../collections/transport.js";
import { createUndiciTransport } from "../collections/undici-transport.js";
import type { ReplicaManagerOptions } from "./manager-options.js";

/** What sends the requests: the caller's fetch, or a pool, signed where there is an identity. */
export function createTransport({ fetchFn, auth, concurrency }: ReplicaManagerOptions): Transport {
  if (fetchFn) return createFetchTransport(fetchFn);
  const pool = createUndiciTransport(concurrency === undefined ? {} : { connections: concurrency });
  return auth ? createSignedTransport(pool, auth) : pool;
}
