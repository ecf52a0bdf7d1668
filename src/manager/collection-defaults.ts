import type { CollectionSettings } from "../collections/collection-settings.js";
import { DEFAULT_STATE_PREFIX } from "../config.js";
import { POLICIES } from "../modes/policies.js";
import { stateKey } from "../protocol/state-key.js";
import { channelName, type RemoteCollection } from "./remote-collection.js";

/** What a manager sets for all its collections. */
export interface CollectionDefaults {
  readonly statePrefix?: string;
  readonly requestTimeoutMs?: number;
  readonly maxDocumentBytes?: number;
}

const DEFAULTS = { requestTimeoutMs: 30_000, maxDocumentBytes: 64 * 1024 * 1024, missingGraceMs: 60_000 };

/** Fills in what the configuration leaves open. Expects a configuration without mistakes. */
export function collectionSettings(collection: RemoteCollection, defaults: CollectionDefaults): CollectionSettings {
  const { remote, name, storagePath } = collection;
  const namespace = collection.namespace ?? null;
  const base = remote.url.replace(/\/+$/, "");
  return {
    name: channelName(name, namespace),
    collection: name,
    namespace,
    documentKey: storagePath,
    stateKey: stateKey(defaults.statePrefix ?? DEFAULT_STATE_PREFIX, namespace, name),
    policy: POLICIES[remote.writeMode],
    pullUrl: `${base}${remote.pullPath}`,
    pushUrl: remote.pushPath === undefined ? null : `${base}${remote.pushPath}`,
    headers: { ...remote.headers },
    requestTimeoutMs: remote.requestTimeoutMs ?? defaults.requestTimeoutMs ?? DEFAULTS.requestTimeoutMs,
    maxDocumentBytes: remote.maxDocumentBytes ?? defaults.maxDocumentBytes ?? DEFAULTS.maxDocumentBytes,
    mergeRule: remote.merge ?? null,
    missing: remote.missing ?? "keep",
    missingGraceMs: remote.missingGraceMs ?? DEFAULTS.missingGraceMs,
  };
}
