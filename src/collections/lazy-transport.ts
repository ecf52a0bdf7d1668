import type { Transport } from "./transport.js";

/** A transport whose code begins to load now, and that takes requests at once. Importing the package then loads no HTTP client. */
export function createLazyTransport(load: () => Promise<Transport>): Transport {
  const loading = load();
  // Whoever sends first is told.
  loading.catch(() => {});
  return {
    send: async (request) => await (await loading).send(request),
    close: async () => await (await loading).close(),
  };
}
