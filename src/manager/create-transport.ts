import { createLazyTransport } from "../collections/lazy-transport.js";
import { createSignedTransport } from "../collections/signed-transport.js";
import type { Transport } from "../collections/transport.js";
import type { ReplicaManagerOptions } from "./manager-options.js";

/** What sends the requests: the caller's fetch, or pools, signed where there is an identity. */
export function createTransport({ fetchFn, auth, concurrency }: ReplicaManagerOptions): Transport {
  if (fetchFn) {
    return createLazyTransport(async () => {
      const { createFetchTransport } = await import("../collections/fetch-transport.js");
      return createFetchTransport(fetchFn);
    });
  }
  const options = concurrency === undefined ? {} : { connections: concurrency };
  // Two, so that a primary which takes no writes does not hold up reads.
  const pulls = createPool(options);
  const pushes = createPool(options);
  const pools: Transport = {
    send: (request) => (request.method === "POST" ? pushes : pulls).send(request),
    close: async () => {
      await Promise.all([pulls.close(), pushes.close()]);
    },
  };
  return auth ? createSignedTransport(pools, auth) : pools;
}

function createPool(options: { connections?: number }): Transport {
  return createLazyTransport(async () => {
    const { createUndiciTransport } = await import("../collections/undici-transport.js");
    return createUndiciTransport(options);
  });
}
