import type { PushHookContext } from "@drakkar.software/starfish-protocol";
import {
  type Author,
  type CollectionConfig,
  createCapCertRoleResolver,
  createInMemoryNonceCache,
  createInMemoryRevocationStore,
  MemoryObjectStore,
  type ObjectStore,
  type PullResult,
  pull,
  push,
  type RoleResolver,
  resolveDocumentKey,
  type ServerPlugin,
  type StoreContext,
  type SyncConfig,
} from "@drakkar.software/starfish-server";
import { collection, forCapCerts } from "./collection.js";
import { type SyncHost, type SyncHostOptions, startSyncHost } from "./sync-host.js";

interface PrimaryOptions extends Pick<SyncHostOptions, "basePath" | "mount" | "plugins" | "port" | "router"> {
  /** Default: one, `collection("posts")`. */
  readonly collections?: readonly CollectionConfig[];
  readonly namespaces?: Readonly<Record<string, readonly CollectionConfig[]>>;
  /** Default: a new, empty MemoryObjectStore. */
  readonly store?: ObjectStore;
  /** `cap-cert` lets in signed requests only, and gives collections that are open to `public` the roles of caps. Default `public`. */
  readonly auth?: "public" | "cap-cert";
}

interface DocumentOptions {
  /** Namespace of the collection. Default: a root collection. */
  readonly namespace?: string;
  /** Values for the `{placeholders}` of the storage path. */
  readonly params?: Readonly<Record<string, string>>;
}

/** A running primary. */
export interface Primary extends SyncHost {
  /** The pushes that passed authorisation, raw body included, in order of arrival. */
  readonly pushes: PushHookContext[];
  /** Stores a document past HTTP and plugins, whatever was there before. Resolves with its hash. */
  write(name: string, data: Record<string, unknown>, options?: DocumentOptions & { author?: Author }): Promise<string>;
  /** The document as stored; `hash` is "" where there is none. */
  read(name: string, options?: DocumentOptions): Promise<PullResult>;
  /** Removes the document from the store. */
  remove(name: string, options?: DocumentOptions): Promise<void>;
}

/**
 * Starts a real starfish primary on a free port of 127.0.0.1, its routes under `/v1`. To restart it: `stop()`, then start with the same
 * `port` and `store`.
 */
export async function startPrimary(options: PrimaryOptions = {}): Promise<Primary> {
  const store = options.store ?? new MemoryObjectStore(new Map());
  const adapt = (list: readonly CollectionConfig[]) =>
    options.auth === "cap-cert" ? list.map(forCapCerts) : [...list];
  const config: SyncConfig = { version: 1, collections: adapt(options.collections ?? [collection("posts")]) };
  if (options.namespaces !== undefined) {
    config.namespaces = Object.fromEntries(
      Object.entries(options.namespaces).map(([name, list]) => [name, { collections: adapt(list) }]),
    );
  }
  const pushes: PushHookContext[] = [];
  const recorder: ServerPlugin = {
    name: "test-recorder",
    interceptPush(context) {
      pushes.push(context);
      return { action: "proceed" };
    },
  };
  const host = await startSyncHost({
    ...options,
    store,
    config,
    plugins: [recorder, ...(options.plugins ?? [])],
    ...(options.auth === "cap-cert" && { roleResolver: capCertResolver() }),
  });

  const locate = (name: string, at: DocumentOptions, action: StoreContext["action"]) => {
    const list = at.namespace === undefined ? config.collections : config.namespaces?.[at.namespace]?.collections;
    const found = list?.find((one) => one.name === name);
    if (found === undefined) throw new Error(`The primary has no collection "${name}"`);
    const params = at.params ?? {};
    const context: StoreContext = { collection: name, params, identity: null, roles: [], action };
    if (at.namespace !== undefined) context.namespace = at.namespace;
    return { key: resolveDocumentKey(found.storagePath, params), context };
  };

  return {
    ...host,
    pushes,
    async write(name, data, at = {}) {
      const { key, context } = locate(name, at, "push");
      // A client may push between the two steps.
      for (let attempt = 0; attempt < 10; attempt += 1) {
        const { hash } = await pull(store, key, context);
        const result = await push(store, key, data, hash, at.author, false, false, undefined, context);
        if ("hash" in result) return result.hash;
      }
      throw new Error(`The stored document of "${name}" cannot be replaced by push: it has no hash, or keeps changing`);
    },
    async read(name, at = {}) {
      const { key, context } = locate(name, at, "pull");
      return pull(store, key, context);
    },
    async remove(name, at = {}) {
      const { key, context } = locate(name, at, "delete");
      await store.delete(key, context);
    },
  };
}

/** The host's defaults would refuse bodies over 64 KiB and, failing closed, the 4 097th request of one signer within ten minutes. */
function capCertResolver(): RoleResolver {
  return createCapCertRoleResolver({
    nonceCache: createInMemoryNonceCache({ perSignerLimit: 10_000_000, maxEntries: 10_000_000 }),
    revocationStore: createInMemoryRevocationStore(),
    allowAnonymous: false,
    maxBodyBytes: 64 * 1024 * 1024,
  });
}
