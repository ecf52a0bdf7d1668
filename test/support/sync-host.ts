import {
  createSyncRouter,
  type ObjectStore,
  type RoleResolver,
  type ServerPlugin,
  type SyncConfig,
  type SyncRouterOptions,
  validateConfig,
} from "@drakkar.software/starfish-server";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { atEnd } from "./at-end.js";
import { type HttpHost, startHttpHost } from "./http-host.js";

export interface SyncHostOptions {
  readonly store: ObjectStore;
  readonly config: SyncConfig;
  readonly plugins?: readonly ServerPlugin[];
  /** Default: everybody is anonymous and has the role `public`. */
  readonly roleResolver?: RoleResolver;
  /** Where /pull, /push and /batch stand. Default `/v1`. */
  readonly basePath?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Called before the sync routes are added, for more routes in the same app. */
  readonly mount?: (app: Hono) => void;
  /** Anything else that `createSyncRouter` takes. */
  readonly router?: Partial<SyncRouterOptions>;
}

/** A running starfish sync server. */
export interface SyncHost extends HttpHost {
  /** Base URL of the sync routes: `<origin><basePath>`. */
  readonly url: string;
  readonly store: ObjectStore;
}

/**
 * Starts a real starfish server the way its README says: `createSyncRouter` mounted in a Hono app, over `@hono/node-server`. `stop()`
 * closes the server and then awaits every plugin's `shutdown`; it is done by itself when the test ends. Throws when the config is not valid.
 */
export async function startSyncHost(options: SyncHostOptions): Promise<SyncHost> {
  const { store, config, basePath = "/v1", plugins = [] } = options;
  const mistakes = validateConfig(config);
  if (mistakes.length > 0) throw new Error(`The test's config is not valid:\n${mistakes.join("\n")}`);
  const app = new Hono();
  options.mount?.(app);
  app.route(
    basePath,
    createSyncRouter({
      ...options.router,
      store,
      config,
      plugins: [...plugins],
      roleResolver: options.roleResolver ?? (async () => ({ identity: "", roles: ["public"] })),
    }),
  );
  const listener = getRequestListener(app.fetch);
  const host = await startHttpHost((request, response) => listener(request, response), options.port);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      await host.stop();
      for (const plugin of plugins) await plugin.shutdown?.();
    })();
    return stopped;
  };
  atEnd(stop);
  return { ...host, stop, url: host.origin + basePath, store };
}
