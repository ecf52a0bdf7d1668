import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { MAX_FRAME_BYTES } from "../protocol/limits.js";
import type { SyncClaims } from "../tokens/token-claims.js";
import { checkSyncClaims, readSyncRequest } from "./admit-sync.js";
import { SYNC_ENDS } from "./sync-end.js";
import type { SyncEndpoint, SyncEndpointParts } from "./sync-endpoint.js";
import { PeerWebSocket } from "./sync-socket.js";
import { SyncUnderWay } from "./sync-under-way.js";
import { answerUpgrade, type UpgradeAnswer } from "./upgrade-answer.js";

/** The endpoint over a store and accounts that are open. */
export function createSyncEndpoint(parts: SyncEndpointParts): SyncEndpoint {
  return new WebSocketSyncEndpoint(parts);
}

class WebSocketSyncEndpoint implements SyncEndpoint {
  readonly #parts: SyncEndpointParts;
  readonly #webSockets: WebSocketServer;
  /** From the check of the token until nothing of the store is open any more: what counts as under way. */
  readonly #syncs = new Set<SyncUnderWay>();
  /** Sockets that were handed over and are not closed yet, with what cuts them off. */
  readonly #sockets = new Map<Duplex, Promise<void>>();
  #closing = false;

  constructor(parts: SyncEndpointParts) {
    this.#parts = parts;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: MAX_FRAME_BYTES,
      // Pages are hashed, counted and bounded as they are; compressed ones would cost each connection a quarter of a MiB and let a small frame grow large.
      perMessageDeflate: false,
      WebSocket: PeerWebSocket,
    });
    this.#webSockets.on("wsClientError", (error, socket) => this.#answer(socket, malformedHandshake(error)));
  }

  get active(): number {
    return this.#syncs.size;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    // A peer that resets at any moment is no reason for a host to crash.
    socket.on("error", () => {});
    this.#sockets.set(
      socket,
      new Promise((resolve) => {
        socket.once("close", () => {
          this.#sockets.delete(socket);
          resolve();
        });
      }),
    );
    if (socket.destroyed) this.#sockets.delete(socket);
    this.#admit(request, socket, Buffer.from(head.buffer, head.byteOffset, head.byteLength)).catch((error) => {
      this.#parts.onError(error);
      this.#answer(socket, OUR_FAULT);
    });
  }

  async endDatabase(databaseId: string): Promise<void> {
    const ended = [...this.#syncs].filter((sync) => sync.claims.databaseId === databaseId);
    for (const sync of ended) sync.end(SYNC_ENDS.deleted);
    await Promise.all(ended.map((sync) => sync.done));
  }

  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const sync of this.#syncs) sync.end(SYNC_ENDS.stopping);
    const cut = setTimeout(() => {
      for (const socket of this.#sockets.keys()) socket.destroy();
    }, graceMs);
    await Promise.all([...this.#syncs].map((sync) => sync.done));
    await Promise.all(this.#sockets.values());
    clearTimeout(cut);
    this.#webSockets.close();
  }

  async #admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (this.#closing) return this.#answer(socket, STOPPING);
    const claims = readSyncRequest(this.#parts.tokens, request);
    if (!isClaims(claims)) return this.#answer(socket, claims);
    if (this.#syncs.size >= this.#parts.maxSyncs) return this.#answer(socket, tooMany(this.#parts.maxSyncs));
    // It counts from here on: who deletes the database or closes meanwhile ends it, too.
    const sync = new SyncUnderWay(this.#parts, claims, () => this.#syncs.delete(sync));
    this.#syncs.add(sync);
    try {
      const refusal = await checkSyncClaims(this.#parts.accounts, claims);
      if (refusal !== null || sync.ended !== null) {
        sync.abandon();
        return this.#answer(socket, refusal ?? (this.#closing ? STOPPING : DELETED));
      }
      this.#webSockets.handleUpgrade(request, socket, head, (ws) => sync.run(ws as PeerWebSocket, socket));
    } finally {
      // A handshake that was refused, or that found nobody there.
      sync.abandon();
    }
  }

  #answer(socket: Duplex, answer: UpgradeAnswer): void {
    void answerUpgrade(socket, answer);
  }
}

const OUR_FAULT: UpgradeAnswer = {
  status: 500,
  error: "The page server failed, and its operator was told why: try again later",
  code: "PAGE_STORE",
};

const STOPPING: UpgradeAnswer = {
  status: 503,
  error: "The server is stopping: try again in a moment",
  code: "STOPPED",
  headers: { "retry-after": "5" },
};

const DELETED: UpgradeAnswer = { status: 404, error: "The database was deleted", code: "UNKNOWN_DATABASE" };

function tooMany(maxSyncs: number): UpgradeAnswer {
  return {
    status: 503,
    error: `All of the ${maxSyncs} syncs that may be under way at once are: try again in a moment`,
    code: "SYNC_REFUSED",
    headers: { "retry-after": "2" },
  };
}

function malformedHandshake(error: Error): UpgradeAnswer {
  return {
    status: 400,
    error: `This is no WebSocket handshake of RFC 6455: ${error.message}`,
    code: "SYNC_REFUSED",
    headers: { "sec-websocket-version": "13" },
  };
}

function isClaims(read: SyncClaims | UpgradeAnswer): read is SyncClaims {
  return "purpose" in read;
}
