import {
  type CollectionConfig,
  MemoryObjectStore,
  type ObjectStore,
  type RoleEnricher,
  type RoleResolver,
  type ServerPlugin,
  type SyncConfig,
} from "@drakkar.software/starfish-server";
import { createSseChanges, type SseChanges, type SseChangesOptions } from "../../src/feeds/sse-changes.js";
import { createPrimaryServerPlugin } from "../../src/primary.js";
import { atEnd } from "../support/at-end.js";
import { collection } from "../support/collection.js";
import { type SyncHost, startSyncHost } from "../support/sync-host.js";

interface ChangesHostOptions extends Partial<Omit<SseChangesOptions, "config" | "plugins">> {
  /** Default: one, `collection("posts")`. */
  readonly collections?: readonly CollectionConfig[];
  readonly namespaces?: Readonly<Record<string, readonly CollectionConfig[]>>;
  readonly roleResolver?: RoleResolver;
  readonly roleEnricher?: RoleEnricher;
  /** For the host and for the feed. */
  readonly plugins?: readonly ServerPlugin[];
  readonly port?: number;
  readonly store?: ObjectStore;
}

interface Pushed {
  readonly key: string;
  readonly hash: string;
}

/** A real primary that announces its writes over SSE. */
export interface ChangesHost extends SyncHost {
  readonly changes: SseChanges;
  readonly changesUrl: string;
  /** A real push of a new version to `/push/<key>`, below `/<namespace>` where one is given. Throws unless it is answered 200. */
  push(key: string, options?: { namespace?: string; headers?: Record<string, string> }): Promise<Pushed>;
}

/** Everybody is who their bearer token says: `Bearer alice:editor,reader`. Without one they are anonymous. */
export const bearerRoles: RoleResolver = async (context) => {
  const token = context.req.header("authorization")?.replace(/^Bearer /, "");
  if (token === undefined) return { identity: "", roles: ["public"] };
  const [, identity = "", roles = ""] = /^([^:]*):?(.*)$/.exec(token) ?? [];
  if (identity === "nobody") throw Object.assign(new Error("unknown"), { status: 401 });
  if (identity === "banned") throw Object.assign(new Error("banned"), { status: 403 });
  return { identity, roles: ["public", ...roles.split(",").filter(Boolean)] };
};

let version = 0;

export async function startChangesHost(options: ChangesHostOptions = {}): Promise<ChangesHost> {
  const { collections = [collection("posts")], namespaces, port, plugins = [], ...rest } = options;
  const { roleResolver = bearerRoles, roleEnricher, store = new MemoryObjectStore(new Map()), ...sse } = rest;
  const config: SyncConfig = { version: 1, collections: [...collections] };
  if (namespaces) {
    config.namespaces = Object.fromEntries(
      Object.entries(namespaces).map(([name, list]) => [name, { collections: [...list] }]),
    );
  }
  const changes = createSseChanges({
    ...sse,
    config,
    roleResolver,
    plugins,
    ...(roleEnricher && { roleEnricher }),
  });
  atEnd(() => changes.close());
  const host = await startSyncHost({
    store,
    config,
    roleResolver,
    plugins: [...plugins, createPrimaryServerPlugin({ feed: changes })],
    mount: (app) => app.route("/v1", changes.routes),
    ...(roleEnricher && { router: { roleEnricher } }),
    ...(port !== undefined && { port }),
  });
  const hashes = new Map<string, string>();
  return {
    ...host,
    changes,
    changesUrl: `${host.url}/changes`,
    async push(key, { namespace, headers = {} } = {}) {
      const base = namespace === undefined ? host.url : `${host.url}/${namespace}`;
      const name = `${namespace ?? ""}/${key}`;
      const stored = await store.getString(key);
      const known = hashes.get(name) ?? (stored ? JSON.parse(stored).hash : null);
      const response = await fetch(`${base}/push/${key}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ data: { version: ++version }, baseHash: known }),
      });
      if (response.status !== 200) throw new Error(`push ${key}: ${response.status} ${await response.text()}`);
      const { hash } = (await response.json()) as { hash: string };
      hashes.set(name, hash);
      return { key, hash };
    },
  };
}
