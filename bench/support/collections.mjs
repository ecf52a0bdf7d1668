/** How long a scheduled collection waits: longer than any round lasts. */
const INTERVAL_MS = 3_600_000;

/** A server's collection of one document, at `<name>/doc`. */
export function serverCollection(name, overrides = { readRoles: ["public"], writeRoles: ["public"] }) {
  return {
    name,
    storagePath: `${name}/doc`,
    encryption: "none",
    maxBodyBytes: 8 * 1024 * 1024,
    allowedMimeTypes: ["application/json"],
    ...overrides,
  };
}

/** How a replica follows that collection. Both contenders take this form. */
export function remoteConfig(name, url, overrides = {}) {
  return {
    url,
    pullPath: `/pull/${name}/doc`,
    pushPath: `/push/${name}/doc`,
    intervalMs: INTERVAL_MS,
    headers: {},
    writeMode: "pull_only",
    syncTriggers: ["scheduled"],
    ...overrides,
  };
}

/** The first `count` collections as a `ReplicaManager` takes them. */
export function remoteCollections(count, url, overrides = {}) {
  return Array.from({ length: count }, (_, index) => {
    const name = `c${index}`;
    return { name, storagePath: `${name}/doc`, remote: remoteConfig(name, url, overrides) };
  });
}
