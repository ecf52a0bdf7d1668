import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { getRequestListener } from "@hono/node-server";
import { AdminService, Direction } from "../../../src/pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { createPageClient } from "../../../src/pages/create-page-client.js";
import { createPageServer } from "../../../src/pages/create-page-server.js";
import type { PageClient } from "../../../src/pages/page-client.js";
import type { PageServer } from "../../../src/pages/page-server.js";
import type { PageServerOptions } from "../../../src/pages/page-server-options.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

const PASSWORD = "correct horse battery";
export const KEY: string = randomBytes(32).toString("base64");

/** A page server in a host's HTTP server, as its users build it, and a client of it. */
export interface PageHost {
  readonly server: PageServer;
  readonly dir: string;
  readonly origin: string;
  /** What `onError` was told. */
  readonly errors: unknown[];
  readonly client: PageClient;
  /** Whoever has this email, made where it is nobody's. */
  user(email: string): Promise<PageUser>;
}

export interface PageUser {
  readonly orgId: string;
  readonly admin: Client<typeof AdminService>;
  /** A sync token. */
  token(databaseId: string, direction: "push" | "pull"): Promise<string>;
}

export async function startPageHost(options: Partial<PageServerOptions> = {}): Promise<PageHost> {
  const dir = options.dir ?? tempDir();
  const errors: unknown[] = [];
  const server = createPageServer({ dir, sessionKey: KEY, onError: (error) => errors.push(error), ...options });
  const origin = await listen(server);
  atEnd(() => server.stop());
  await server.start();
  const client = createPageClient({ url: origin });
  atEnd(() => client.close());
  const users = new Map<string, Promise<PageUser>>();
  return {
    server,
    dir,
    origin,
    errors,
    client,
    user(email) {
      const known = users.get(email) ?? userOf(origin, email);
      users.set(email, known);
      return known;
    },
  };
}

/** Puts a page server at a free port of the host's own. */
export async function listen(server: PageServer): Promise<string> {
  const http = createServer(getRequestListener(server.app.fetch));
  const sockets = new Set<Socket>();
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  http.on("upgrade", (request, socket, head) => server.upgrade(request, socket, head));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  atEnd(async () => {
    const closed = new Promise((resolve) => http.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

async function userOf(origin: string, email: string): Promise<PageUser> {
  const baseUrl = origin;
  const anybody = createClient(AdminService, createConnectTransport({ baseUrl, httpVersion: "1.1" }));
  const { sessionToken, whoami } = await anybody
    .signup({ email, password: PASSWORD })
    .catch(() => anybody.login({ email, password: PASSWORD }));
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        request.header.set("Authorization", `Bearer ${sessionToken}`);
        return next(request);
      },
    ],
  });
  const admin = createClient(AdminService, transport);
  return {
    orgId: whoami?.orgId ?? "",
    admin,
    async token(databaseId, direction) {
      const way = direction === "push" ? Direction.PUSH : Direction.PULL;
      return (await admin.issueSyncToken({ databaseId, direction: way })).token;
    },
  };
}
