import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ReplicaError } from "../../../src/errors.js";
import { createSyncEndpoint } from "../../../src/pages/server/create-sync-endpoint.js";
import type { SyncCommit, SyncEndpoint, SyncEndpointParts } from "../../../src/pages/server/sync-endpoint.js";
import { createFilePageStore } from "../../../src/pages/store/file-page-store.js";
import type { PageStore } from "../../../src/pages/store/page-store.js";
import { createTokens } from "../../../src/pages/tokens/create-tokens.js";
import type { SyncClaims, Tokens } from "../../../src/pages/tokens/token-claims.js";
import { atEnd } from "../../support/at-end.js";

/** An HTTP server of the host's own with the endpoint at its `upgrade` event, over the real store and real tokens. */
export interface SyncServer {
  readonly port: number;
  /** `ws://127.0.0.1:<port>/sync` */
  readonly url: string;
  readonly endpoint: SyncEndpoint;
  readonly store: PageStore;
  readonly tokens: Tokens;
  readonly commits: SyncCommit[];
  /** What `onError` was told. */
  readonly errors: unknown[];
  /** Ids that the accounts know, all of one organisation. */
  readonly databases: Set<string>;
  token(direction: "push" | "pull", claims?: Partial<SyncClaims>): string;
  stop(): Promise<void>;
}

export interface SyncServerOptions {
  readonly dir: string;
  readonly parts?: Partial<SyncEndpointParts>;
  /** Looked at before the real store. */
  readonly wrapStore?: (store: PageStore) => PageStore;
}

export async function startSyncServer(options: SyncServerOptions): Promise<SyncServer> {
  const errors: unknown[] = [];
  const commits: SyncCommit[] = [];
  const databases = new Set(["d-1", "d-2"]);
  const real = createFilePageStore({ dir: options.dir, onError: (error) => errors.push(error) });
  const store = options.wrapStore?.(real) ?? real;
  await store.open();
  const tokens = createTokens([Uint8Array.from(randomBytes(32))]);
  const endpoint = createSyncEndpoint({
    tokens,
    accounts: {
      account: async (userId) =>
        userId === "u-1" ? { userId, email: "a@example.com", orgId: "o-1", role: "admin" } : null,
      database: async (orgId, id) => {
        if (orgId === "o-1" && databases.has(id)) return { id, orgId, name: id, createdAt: 0 };
        throw new ReplicaError("UNKNOWN_DATABASE", `There is no database "${id}"`, { hint: "db list shows yours" });
      },
    },
    store,
    quota: { reserve: async () => () => {} },
    maxDatabaseBytes: 1024 ** 3,
    maxSyncs: 64,
    idleMs: 20_000,
    onCommit: (commit) => commits.push(commit),
    onError: (error) => errors.push(error),
    ...options.parts,
  });
  const server = createServer((_request, response) => response.end("the host's own"));
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request, socket, head) => endpoint.upgrade(request, socket, head));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let stopped: Promise<void> | null = null;
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    await endpoint.close(1_000);
    for (const socket of sockets) socket.destroy();
    await closed;
    await store.close();
  };
  const result: SyncServer = {
    port,
    url: `ws://127.0.0.1:${port}/sync`,
    endpoint,
    store,
    tokens,
    commits,
    errors,
    databases,
    token: (direction, claims) =>
      tokens.mint(
        { purpose: "sync", userId: "u-1", orgId: "o-1", databaseId: "d-1", direction, ...claims },
        Math.floor(Date.now() / 1_000) + 600,
      ),
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
  atEnd(result.stop);
  return result;
}
