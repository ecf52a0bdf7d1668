import { createFetchTransport } from "../collections/fetch-transport.js";
import { createSignedTransport } from "../collections/signed-transport.js";
import type { Transport } from "../collections/transport.js";
import { createUndiciTransport } from "../collections/undici-transport.js";
import type { ReplicaManagerOptions } from "./manager-options.js";

/** What sends the requests: the caller's fetch, or pools, signed where there is an identity. */
export function createTransport({ fetchFn, auth, concurrency }: ReplicaManagerOptions): Transport {
  if (fetchFn) return createFetchTransport(fetchFn);
  const options = concurrency === undefined ? {} : { connections: concurrency };
  // Two, so that a primary which takes no writes does not hold up reads.
  const pulls = createUndiciTransport(options);
  const pushes = createUndiciTransport(options);
  const pools: Transport = {
    send: (request) => (request.method === "POST" ? pushes : pulls).send(request),
    close: async () => {
      await Promise.all([pulls.close(), pushes.close()]);
    },
  };
  return auth ? createSignedTransport(pools, auth) : pools;
}
