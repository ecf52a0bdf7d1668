import type { IncomingMessage } from "node:http";
import { Hono } from "hono";
import type { LoadAdminHandlers } from "./admin-handlers.js";
import { CALLBACK_PATH } from "./create-oauth-providers.js";
import { oauthCallbackPage } from "./oauth-callback-page.js";

const SERVICE = "edgereplica.admin.v1.AdminService";

export interface AdminAppOptions {
  /** Whether there is a page to which OAuth providers send the browser back. */
  readonly callback: boolean;
}

/** The admin service as a Hono app, to be mounted at any path. */
export function createAdminApp(load: LoadAdminHandlers, { callback }: AdminAppOptions): Hono {
  const app = new Hono();
  app.all(`/${SERVICE}/:method`, async (context) => {
    // `@hono/node-server` puts the request of the socket there; other hosts have none.
    const { incoming } = (context.env ?? {}) as { incoming?: IncomingMessage };
    return await (await load()).fetch(context.req.raw, incoming);
  });
  if (callback) {
    app.get(CALLBACK_PATH, (context) => {
      const { status, headers, html } = oauthCallbackPage(new URL(context.req.url).searchParams);
      return context.body(html, status, headers);
    });
  }
  return app;
}
