import type { ChangeHandler } from "../feeds/change-feed.js";
import type { CollectionParts } from "./collection-parts.js";
import type { RemoteCollection } from "./remote-collection.js";

interface Followed extends CollectionParts {
  readonly collection: RemoteCollection;
}

/**
 * Wakes the collections with the `on_change` trigger when their primary says that it changed. A hint that names the hash we have already,
 * such as the echo of our own write, wakes nobody.
 */
export function followChanges(collections: readonly Followed[], wake: (name: string) => void): ChangeHandler {
  const followed = collections.filter(({ collection, settings }) => {
    return settings.policy.pulls && collection.remote.syncTriggers.includes("on_change");
  });
  const byPath = new Map<string, Followed[]>();
  for (const parts of followed) {
    const { pullPath } = parts.collection.remote;
    byPath.set(pullPath, [...(byPath.get(pullPath) ?? []), parts]);
  }
  return {
    async change({ namespace, key, hash }) {
      const path = `${namespace === null ? "" : `/${namespace}`}/pull/${key}`;
      // A publisher that does not know the key says only that something changed.
      for (const parts of key === "" ? followed : (byPath.get(path) ?? [])) {
        if (!(await parts.channel.knows(hash).catch(() => false))) wake(parts.settings.name);
      }
    },
    gap() {
      for (const { settings } of followed) wake(settings.name);
    },
  };
}
