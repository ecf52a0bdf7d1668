import {
  type CollectionConfig,
  MemoryObjectStore,
  type ObjectStore,
  type RoleResolver,
  type SyncConfig,
} from "@drakkar.software/starfish-server";
import type { NamespaceRemotes, RemoteConfig } from "../../src/config.js";
import type { ReplicaError } from "../../src/errors.js";
import type { ReplicaManagerOptions } from "../../src/manager/manager-options.js";
import type { ReplicaManager } from "../../src/manager/replica-manager.js";
import { createReplicaServerPlugin, type ReplicaServerPlugin } from "../../src/plugin.js";
import { startReplicaServer } from "./replica-server.js";
import type { SyncHost } from "./sync-host.js";

interface ReplicaSetup extends Omit<ReplicaManagerOptions, "onError"> {
  /** The replica server's own collections. */
  readonly collections: readonly CollectionConfig[];
  readonly remotes: Readonly<Record<string, RemoteConfig>>;
  readonly namespaces?: Readonly<Record<string, readonly CollectionConfig[]>>;
  readonly namespaceRemotes?: NamespaceRemotes;
  readonly store?: ObjectStore;
  readonly roleResolver?: RoleResolver;
}

/** A replica server with our plugin, and what a test wants to look at. */
export interface Replica extends SyncHost {
  readonly plugin: ReplicaServerPlugin;
  readonly manager: ReplicaManager;
  readonly errors: Array<{ name: string; error: ReplicaError }>;
  /** GET below `/v1`: status, headers and parsed body. */
  get(path: string, headers?: Record<string, string>): Promise<HttpReply>;
  /** POST a push below `/v1`. A string goes out as it is. */
  push(path: string, body: unknown): Promise<HttpReply>;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  readonly body: any;
}

/** Starts a replica server over HTTP. Its manager is not started; `stop()`, also done when the test ends, stops it. */
export async function startReplica(setup: ReplicaSetup): Promise<Replica> {
  const {
    collections,
    remotes,
    namespaces,
    namespaceRemotes,
    store = new MemoryObjectStore(new Map()),
    roleResolver,
    ...options
  } = setup;
  const config: SyncConfig = { version: 1, collections: [...collections] };
  if (namespaces) {
    config.namespaces = Object.fromEntries(
      Object.entries(namespaces).map(([name, list]) => [name, { collections: [...list] }]),
    );
  }
  const errors: Array<{ name: string; error: ReplicaError }> = [];
  const plugin = createReplicaServerPlugin({
    ...options,
    store,
    syncConfig: config,
    collections: remotes,
    ...(namespaceRemotes && { namespaces: namespaceRemotes }),
    onError: (name, error) => errors.push({ name, error }),
  });
  const host = await startReplicaServer({ config, store, plugins: [plugin], ...(roleResolver && { roleResolver }) });
  return {
    ...host,
    plugin,
    manager: plugin.manager,
    errors,
    get: (path, headers = {}) => fetch(`${host.url}${path}`, { headers }).then(reply),
    push: (path, body) =>
      fetch(`${host.url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }).then(reply),
  };
}

/** A remote that follows `/pull/<name>/doc` of a primary, as `collection(name)` stores it. */
export function remote(url: string, name: string, overrides: Partial<RemoteConfig> = {}): RemoteConfig {
  return {
    url,
    pullPath: `/pull/${name}/doc`,
    pushPath: `/push/${name}/doc`,
    writeMode: "pull_only",
    syncTriggers: [],
    ...overrides,
  };
}

async function reply(response: Response): Promise<HttpReply> {
  const text = await response.text();
  let body: unknown = text;
  try {
    body = text === "" ? null : JSON.parse(text);
  } catch {}
  return { status: response.status, headers: response.headers, body };
}
