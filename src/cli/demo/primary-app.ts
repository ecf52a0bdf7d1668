import {
  type AuthResult,
  CapAuthError,
  createCapCertRoleResolver,
  createInMemoryNonceCache,
  createInMemoryRevocationStore,
  createSyncRouter,
  type ObjectStore,
  type RoleResolver,
  type SyncConfig,
} from "@drakkar.software/starfish-server";
import { Hono } from "hono";
import { createSseChanges, type SseChanges } from "../../feeds/sse-changes.js";
import { createPrimaryServerPlugin } from "../../primary.js";
import { collectionConfigs } from "./collections.js";

/** Requests so far: `signed` were let in, `refused` got 401 or 403. */
export interface RequestCount {
  signed: number;
  refused: number;
}

/** What a primary serves: its sync routes below `/v1`, and among them the feed that tells of its changes. */
export interface PrimaryApp {
  readonly app: Hono;
  readonly changes: SseChanges;
}

/** A primary that lets in signed requests only. */
export function createPrimaryApp(store: ObjectStore, requests: RequestCount): PrimaryApp {
  const authenticate = createCapCertRoleResolver({
    // The defaults take 4 096 requests of one signer in ten minutes; a demo may run for days, and be hammered with curl.
    nonceCache: createInMemoryNonceCache({ perSignerLimit: 1_000_000, maxEntries: 1_000_000 }),
    revocationStore: createInMemoryRevocationStore(),
    allowAnonymous: false,
    maxBodyBytes: 1024 * 1024,
  });

  const app = new Hono();
  const admitted = new WeakMap<Request, AuthResult>();
  // In front of the router, which would print a stack for each request that it refuses, into the live table.
  app.use(async (context, next) => {
    try {
      admitted.set(context.req.raw, await authenticate(context));
    } catch (error) {
      if (!(error instanceof CapAuthError)) throw error;
      requests.refused += 1;
      return context.json({ error: error.message }, error.status === 401 ? 401 : 403);
    }
    requests.signed += 1;
    return await next();
  });

  const config: SyncConfig = { version: 1, collections: collectionConfigs("cap:read:*", "cap:write:*") };
  const roleResolver: RoleResolver = async ({ req }) => {
    const auth = admitted.get(req.raw);
    if (!auth) throw new CapAuthError(403, "not signed");
    return auth;
  };
  const changes = createSseChanges({ config, roleResolver });
  const plugins = [createPrimaryServerPlugin({ feed: changes })];
  app.route("/v1", changes.routes);
  app.route("/v1", createSyncRouter({ store, config, plugins, roleResolver }));
  return { app, changes };
}
