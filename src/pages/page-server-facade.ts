import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import type { Hono } from "hono";
import { ReplicaError } from "../errors.js";
import { Lifecycle } from "../lifecycle.js";
import { createAttemptLimiter } from "./accounts/attempt-limiter.js";
import type { AdminHandlers, LoadAdminHandlers } from "./admin/admin-handlers.js";
import type { AdminOptions } from "./admin/admin-options.js";
import { createAdminApp } from "./admin/create-admin-app.js";
import { createOAuthProviders } from "./admin/create-oauth-providers.js";
import type { OAuthEndpoints } from "./admin/oauth-endpoints.js";
import { socketAddress } from "./admin/socket-address.js";
import type { PageServer } from "./page-server.js";
import { PageServerSession, pageServerStopped } from "./page-server-session.js";
import type { PageServerSettings } from "./page-server-settings.js";
import { answerUpgrade } from "./server/upgrade-answer.js";
import { createTokens } from "./tokens/create-tokens.js";

/** What the tests put in place of what stands outside. */
export interface PageServerOutside {
  readonly oauthEndpoints?: { readonly github?: OAuthEndpoints; readonly google?: OAuthEndpoints };
}

/** The parts of a page server put together. */
export class PageServerFacade implements PageServer {
  readonly app: Hono;
  readonly #lifecycle: Lifecycle<PageServerSession>;
  readonly #loadAdmin: LoadAdminHandlers;

  constructor(settings: PageServerSettings, { oauthEndpoints = {} }: PageServerOutside = {}) {
    const tokens = createTokens(settings.keys);
    this.#lifecycle = new Lifecycle(
      () => new PageServerSession(settings, tokens, async () => void (await this.#loadAdmin())),
      pageServerStopped,
    );
    const { oauthRedirectBase: redirectBase, github, google } = settings;
    const providers = createOAuthProviders({ redirectBase, github, google }, oauthEndpoints);
    const admin: AdminOptions = {
      ...settings,
      parts: () => this.#lifecycle.session,
      tokens,
      limiter: createAttemptLimiter(),
      providers,
      clientAddress: settings.clientAddress ?? socketAddress,
    };
    this.#loadAdmin = once(async () => {
      const { createAdminHandlers } = await import("./admin/create-admin-handlers.js");
      return createAdminHandlers(admin);
    });
    this.app = createAdminApp(this.#loadAdmin, { callback: providers.length > 0 });
  }

  /** Bound, so that it can be handed to `on("upgrade")` as it is. */
  readonly upgrade: PageServer["upgrade"] = (request: IncomingMessage, socket: Duplex, head: Uint8Array): void => {
    let session: PageServerSession;
    try {
      session = this.#lifecycle.session;
    } catch (error) {
      const { message } = error instanceof ReplicaError ? error : pageServerStopped();
      return void answerUpgrade(socket, { status: 503, error: message, code: "STOPPED" });
    }
    session.endpoint.upgrade(request, socket, head);
  };

  /** Bound, as `upgrade`. */
  readonly grpc: PageServer["grpc"] = (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ): void => {
    this.#loadAdmin().then(
      (admin) => admin.node(request, response),
      () => response.writeHead(500).end(),
    );
  };

  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  async databaseFile(databaseId: string): Promise<string | null> {
    try {
      return await this.#lifecycle.session.store.file(databaseId);
    } catch (error) {
      if (error instanceof ReplicaError && error.code === "UNKNOWN_DATABASE") return null;
      throw error;
    }
  }
}

/** What fails is tried again by the next. */
function once(load: LoadAdminHandlers): LoadAdminHandlers {
  let loaded: Promise<AdminHandlers> | null = null;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = null;
      throw error;
    });
    return loaded;
  };
}
