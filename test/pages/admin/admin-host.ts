import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { getRequestListener } from "@hono/node-server";
import type { Accounts } from "../../../src/pages/accounts/accounts.js";
import type { AttemptLimiter } from "../../../src/pages/accounts/attempt-limiter.js";
import { createWorkerAccounts } from "../../../src/pages/accounts/create-worker-accounts.js";
import type { AdminOptions } from "../../../src/pages/admin/admin-options.js";
import { createAdminApp } from "../../../src/pages/admin/create-admin-app.js";
import { createAdminHandlers } from "../../../src/pages/admin/create-admin-handlers.js";
import { AdminService } from "../../../src/pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { socketAddress } from "../../../src/pages/admin/socket-address.js";
import { createTokens } from "../../../src/pages/tokens/create-tokens.js";
import type { Tokens } from "../../../src/pages/tokens/token-claims.js";
import { atEnd } from "../../support/at-end.js";
import { type HttpHost, startHttpHost } from "../../support/http-host.js";
import { tempDir } from "../../support/temp-dir.js";

/** The admin service on two real servers: HTTP/1.1 over fetch, as a host mounts it, and HTTP/2 over Node's own requests. */
export interface AdminHost {
  readonly http: HttpHost;
  /** Node's handler behind HTTP/1.1. */
  readonly node: HttpHost;
  readonly http2Origin: string;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  /** What `onError` was told. */
  readonly errors: unknown[];
  /** Ids of databases whose files are to go. */
  readonly removed: string[];
  /** Whom attempts were counted for. */
  readonly admitted: string[];
  /** Connect with JSON, with this session where there is one. */
  client(session?: string): Client<typeof AdminService>;
}

type Overrides = Partial<Omit<AdminOptions, "tokens" | "parts">> & {
  readonly wrapAccounts?: (accounts: Accounts) => Accounts;
};

/** As cheap as they come: what hashes cost is not what these tests are about. */
const PASSWORD_COST = { memoryKiB: 64, iterations: 1 };
const PASSWORD = "correct horse battery";

export async function startAdminHost({
  wrapAccounts = (same) => same,
  ...overrides
}: Overrides = {}): Promise<AdminHost> {
  const accounts = wrapAccounts(createWorkerAccounts({ dir: tempDir(), passwordCost: PASSWORD_COST }));
  atEnd(() => accounts.close());
  await accounts.open();
  const now = overrides.now ?? Date.now;
  const tokens = createTokens([randomBytes(32)], { now });
  const errors: unknown[] = [];
  const removed: string[] = [];
  const admitted: string[] = [];
  const limiter: AttemptLimiter = {
    admit: async (address) => void admitted.push(address),
    beginLogin: async (address) => {
      admitted.push(address);
      return { succeed() {}, undo() {} };
    },
  };
  const admin = createAdminHandlers({
    limiter,
    providers: [],
    sessionTtlSeconds: 86_400,
    syncTokenTtlSeconds: 3_600,
    maxSyncTokenTtlSeconds: 86_400,
    oauthStateTtlSeconds: 600,
    allowSignup: true,
    clientAddress: socketAddress,
    onError: (error) => errors.push(error),
    ...overrides,
    parts: () => ({
      accounts,
      removeDatabase: async (orgId, databaseId) => {
        await accounts.deleteDatabase(orgId, databaseId);
        removed.push(databaseId);
      },
    }),
    tokens,
  });
  const app = createAdminApp(async () => admin, { callback: (overrides.providers ?? []).length > 0 });
  const listener = getRequestListener(app.fetch);
  const http = await startHttpHost((request, response) => listener(request, response));
  const node = await startHttpHost(admin.node);
  const http2Origin = await startHttp2(admin.node);
  return {
    http,
    node,
    http2Origin,
    accounts,
    tokens,
    errors,
    removed,
    admitted,
    client: (session) => sessionClient(createConnectTransport({ baseUrl: http.origin, httpVersion: "1.1" }), session),
  };
}

/** Calls over this transport; every call bears the session. */
export function sessionClient(transport: Transport, session?: string): Client<typeof AdminService> {
  if (session === undefined) return createClient(AdminService, transport);
  return createClient(AdminService, {
    unary: (method, signal, timeoutMs, header, message, values) =>
      transport.unary(method, signal, timeoutMs, withSession(header, session), message, values),
    stream: transport.stream.bind(transport),
  });
}

/** A user and the session of the user. */
export async function signUp(
  host: AdminHost,
  email: string,
): Promise<{ session: string; orgId: string; userId: string }> {
  const { sessionToken, whoami } = await host.client().signup({ email, password: PASSWORD });
  return { session: sessionToken, orgId: whoami?.orgId ?? "", userId: whoami?.userId ?? "" };
}

function withSession(header: ConstructorParameters<typeof Headers>[0], session: string): Headers {
  const headers = new Headers(header);
  headers.set("Authorization", `Bearer ${session}`);
  return headers;
}

async function startHttp2(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(listener);
  const sessions = new Set<Http2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(async () => {
    const closed = once(server, "close");
    server.close();
    for (const session of sessions) session.destroy();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
