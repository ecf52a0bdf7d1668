import type { CollectionSettings } from "../collections/collection-settings.js";
import { DEFAULT_STATE_PREFIX, type RemoteConfig } from "../config.js";
import { POLICIES } from "../modes/policies.js";
import { stateKey } from "../protocol/state-key.js";

/** A collection to replicate. */
export interface RemoteCollection {
  readonly name: string;
  /** Namespace of this server that the collection belongs to. Default: the root. */
  readonly namespace?: string;
  /** Key of the document in the local store: a storage path without template variables. */
  readonly storagePath: string;
  readonly remote: RemoteConfig;
  /** Limit on a client's push that is forwarded, in bytes. Default: none. */
  readonly maxBodyBytes?: number;
}

export interface CollectionDefaults {
  readonly statePrefix?: string;
  readonly requestTimeoutMs?: number;
  readonly maxDocumentBytes?: number;
}

const DEFAULTS = { requestTimeoutMs: 30_000, maxDocumentBytes: 64 * 1024 * 1024, missingGraceMs: 60_000 };

/** What a collection is called in the manager: `collection`, or `namespace/collection`. */
export function channelName(name: string, namespace: string | null | undefined): string {
  return namespace == null ? name : `${namespace}/${name}`;
}

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
    missing: remote.missing ?? "keep",
    missingGraceMs: remote.missingGraceMs ?? DEFAULTS.missingGraceMs,
  };
}
