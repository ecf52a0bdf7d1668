import {
  type AuthResult,
  CapAuthError,
  createCapCertRoleResolver,
  createInMemoryNonceCache,
  createInMemoryRevocationStore,
  createSyncRouter,
  type ObjectStore,
} from "@drakkar.software/starfish-server";
import { Hono } from "hono";
import { collectionConfigs } from "./collections.js";
import { listen } from "./listen.js";

/** A primary that lets in signed requests only. */
export interface DemoPrimary {
  /** Base URL of its sync routes. */
  readonly url: string;
  readonly store: ObjectStore;
  /** Requests so far: `signed` were let in, `refused` got 401 or 403. */
  readonly requests: { readonly signed: number; readonly refused: number };
  stop(): Promise<void>;
}

/** Starts a primary on a free port of 127.0.0.1. */
export async function startDemoPrimary(store: ObjectStore): Promise<DemoPrimary> {
  const requests = { signed: 0, refused: 0 };
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
  app.route(
    "/v1",
    createSyncRouter({
      store,
      config: { version: 1, collections: collectionConfigs("cap:read:*", "cap:write:*") },
      roleResolver: async ({ req }) => {
        const auth = admitted.get(req.raw);
        if (!auth) throw new CapAuthError(403, "not signed");
        return auth;
      },
    }),
  );
  const { origin, stop } = await listen(app);
  return { url: `${origin}/v1`, store, requests, stop };
}
