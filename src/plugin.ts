import {
  type CollectionConfig,
  type ObjectStore,
  resolveDocumentKey,
  type ServerPlugin,
  type SyncConfig,
} from "@drakkar.software/starfish-server";
import { validateReplicaConfig } from "./config/validate-replica-config.js";
import type { NamespaceRemotes, RemoteConfig } from "./config.js";
import { ConfigurationError } from "./errors.js";
import { optionMistakes, type ReplicaManagerOptions } from "./manager/manager-options.js";
import { channelName, type RemoteCollection } from "./manager/remote-collection.js";
import { ReplicaManager } from "./manager/replica-manager.js";
import type { Refusal } from "./modes/write-mode-policy.js";

export interface ReplicaPluginOptions extends ReplicaManagerOptions {
  /** Store of the replica's documents: the one that `createSyncRouter` is given. */
  readonly store: ObjectStore;
  /** The server's configuration. */
  readonly syncConfig: SyncConfig;
  /** Root collections to replicate, by name. */
  readonly collections: Readonly<Record<string, RemoteConfig>>;
  /** Collections of namespaces to replicate: namespace, then name. Default none. */
  readonly namespaces?: NamespaceRemotes;
}

/** A plugin for `createSyncRouter` and `createGracefulShutdown`. */
export interface ReplicaServerPlugin extends ServerPlugin {
  /** `manager.start()` begins to sync. */
  readonly manager: ReplicaManager;
}

/** What the host tells a hook about a request. */
interface Door {
  readonly collection: string;
  readonly namespace?: string;
  readonly params: Record<string, string>;
}

const PROCEED = { action: "proceed" } as const;

/** A document may be reached through a templated collection too; there its mode could not hold. */
const OTHER_DOOR: Refusal = {
  status: 409,
  error: "This document is replicated: use the collection that it is replicated as",
};
const STORE_FAILED: Refusal = { status: 503, error: "The local store failed: try again later" };

/**
 * The plugin of a replica server: each replicated collection is kept in step with its primary, and its write mode holds on every route
 * that reaches it.
 * @throws ConfigurationError that lists every mistake
 */
export function createReplicaServerPlugin(options: ReplicaPluginOptions): ReplicaServerPlugin {
  const { store, syncConfig, collections, namespaces = {} } = options;
  const mistakes = [...validateReplicaConfig(syncConfig, collections, options), ...optionMistakes(options)];
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  const placed = [
    ...Object.entries(collections).map(([name, remote]) => remoteCollection(syncConfig.collections, name, remote)),
    ...Object.entries(namespaces).flatMap(([namespace, remotes]) =>
      Object.entries(remotes).map(([name, remote]) => ({
        ...remoteCollection(syncConfig.namespaces?.[namespace]?.collections ?? [], name, remote),
        namespace,
      })),
    ),
  ];
  const manager = new ReplicaManager(store, placed, options);
  const find = createFinder(syncConfig, placed);

  const refuseRead = (door: Door): Refusal | null => {
    const name = find(door);
    return name === null ? null : (manager.policyFor(name)?.refusesReads ?? null);
  };

  const plugin: ReplicaServerPlugin = {
    name: "starfish-replica",
    manager,
    async beforePull(door) {
      const refusal = refuseRead(door);
      if (refusal) return { action: "reject", ...refusal };
      const name = find(door);
      if (name !== null) await manager.onPull(name);
      return PROCEED;
    },
    async interceptPush(door) {
      const name = find(door);
      const policy = name === null ? undefined : manager.policyFor(name);
      if (name === null || !policy) return PROCEED;
      if (channelName(door.collection, door.namespace) !== name) return { action: "reject", ...OTHER_DOOR };
      if (policy.clientWrite === "forward")
        return { action: "respond", ...(await manager.proxyPush(name, door.rawBody)) };
      if (policy.clientWrite !== "store") return { action: "reject", ...policy.clientWrite };
      try {
        await manager.beforeLocalWrite(name);
        return PROCEED;
      } catch {
        // A merge could not be finished; the next sync reports why.
        return { action: "reject", ...STORE_FAILED };
      }
    },
    shutdown: () => manager.stop(),
  };
  if (placed.some(({ name, namespace }) => manager.policyFor(channelName(name, namespace))?.clientWrite === "store")) {
    plugin.afterWrite = (door) => {
      const name = find(door);
      if (name !== null) manager.afterLocalWrite(name);
    };
  }
  // With an `authorize` hook the host resolves the roles of anonymous readers too: there is one only where batch pulls must be refused.
  if (!placed.some(({ name, namespace }) => manager.policyFor(channelName(name, namespace))?.refusesReads))
    return plugin;
  plugin.authorize = (door) => {
    const refusal = door.action === "pull" ? refuseRead(door) : null;
    return refusal ? { action: "reject", ...refusal } : PROCEED;
  };
  return plugin;
}

/** Finds the replicated collection whose document a request reaches, by whichever collection of the host it comes. */
function createFinder(config: SyncConfig, placed: readonly RemoteCollection[]): (door: Door) => string | null {
  const byKey = new Map(placed.map(({ storagePath, name, namespace }) => [storagePath, channelName(name, namespace)]));
  const scopes = new Map<string | undefined, Map<string, CollectionConfig>>([[undefined, byName(config.collections)]]);
  for (const [namespace, { collections }] of Object.entries(config.namespaces ?? {})) {
    scopes.set(namespace, byName(collections));
  }
  return ({ collection, namespace, params }) => {
    const found = scopes.get(namespace)?.get(collection);
    return found ? (byKey.get(resolveDocumentKey(found.storagePath, params)) ?? null) : null;
  };
}

function byName(collections: readonly CollectionConfig[]): Map<string, CollectionConfig> {
  return new Map(collections.map((collection) => [collection.name, collection]));
}

function remoteCollection(
  collections: readonly CollectionConfig[],
  name: string,
  remote: RemoteConfig,
): RemoteCollection {
  const { storagePath = "", maxBodyBytes = 0 } = collections.find((c) => c.name === name) ?? {};
  return { name, storagePath, maxBodyBytes, remote };
}
