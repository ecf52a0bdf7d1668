import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import { closeReason } from "../session/close-reason.js";
import { createPullServer } from "../session/pull-server.js";
import { createPushServer } from "../session/push-server.js";
import type { ServerSession } from "../session/server-session.js";
import type { SyncClaims } from "../tokens/token-claims.js";
import { describeFailure } from "./describe-failure.js";
import { tellPages } from "./page-events.js";
import { runSync, type SyncTally } from "./run-sync.js";
import { SessionFiles } from "./session-files.js";
import type { SyncEnd } from "./sync-end.js";
import type { SyncEndpointParts } from "./sync-endpoint.js";
import { type PeerWebSocket, SyncSocket } from "./sync-socket.js";

let syncs = 0;

/** One sync, from the moment its token was found good. */
export class SyncUnderWay {
  readonly claims: SyncClaims;
  /** Resolves when nothing of the store is open any more. Never rejects. */
  readonly done: Promise<void>;
  readonly #parts: SyncEndpointParts;
  readonly #files: SessionFiles;
  #settle: () => void = () => {};
  #socket: SyncSocket | null = null;
  #ended: SyncEnd | null = null;

  /** @param onDone called once, when `done` resolves */
  constructor(parts: SyncEndpointParts, claims: SyncClaims, onDone: () => void) {
    this.claims = claims;
    this.#parts = parts;
    this.#files = new SessionFiles(parts, claims);
    let settled = false;
    this.done = new Promise((resolve) => {
      this.#settle = () => {
        if (settled) return;
        settled = true;
        onDone();
        resolve();
      };
    });
  }

  /** With what it was ended before it ran. */
  get ended(): SyncEnd | null {
    return this.#ended;
  }

  /** Ends it as soon as that is possible; a commit that has begun finishes, and the peer is told of it. */
  end(end: SyncEnd): void {
    this.#ended ??= end;
    this.#socket?.interrupt(end);
  }

  /** It never ran. Does nothing for one that runs. */
  abandon(): void {
    if (this.#socket === null) this.#settle();
  }

  /** @param raw what the WebSocket runs on */
  run(ws: PeerWebSocket, raw: Duplex): void {
    const socket = new SyncSocket(ws, raw, this.#parts.idleMs);
    this.#socket = socket;
    this.#run(socket).catch((error) => {
      this.#parts.onError(error);
      this.#settle();
      socket.cut();
    });
  }

  async #run(socket: SyncSocket): Promise<void> {
    syncs += 1;
    const { direction, databaseId } = this.claims;
    const about = { sync: syncs, direction, databaseId };
    const since = performance.now();
    const tally: SyncTally = { pages: 0, bytes: 0, generation: null };
    tellPages({ event: "begin", ...about });
    const session = this.#createSession();
    const end = await this.#runSession(session, socket, tally);
    await this.#closeFiles();
    this.#settle();
    if (end === null) socket.finish(null, 1000);
    else {
      const lastWords = end.error === null ? null : session.failed(end.error);
      socket.finish(lastWords, end.closeCode, closeReason(end.error));
    }
    const durationMs = performance.now() - since;
    tellPages({ event: "end", ...about, outcome: end?.outcome ?? "completed", ...tally, durationMs });
  }

  /** @returns `null` where it completed */
  async #runSession(session: ServerSession, socket: SyncSocket, tally: SyncTally): Promise<SyncEnd | null> {
    const { databaseId } = this.claims;
    try {
      await runSync({
        session,
        files: this.#files,
        socket,
        tally,
        onCommit: ({ generation, rootHash }) => this.#parts.onCommit({ databaseId, generation, rootHash }),
        onWorkDone: this.#settle,
      });
      return null;
    } catch (error) {
      const end = describeFailure(error);
      if (end.outcome === "failed") this.#parts.onError(error);
      return end;
    }
  }

  #createSession(): ServerSession {
    const { databaseId: database, direction } = this.claims;
    if (direction === "pull") return createPullServer({ database });
    return createPushServer({ database, maxBytes: this.#parts.maxDatabaseBytes });
  }

  async #closeFiles(): Promise<void> {
    try {
      await this.#files.close();
    } catch (error) {
      this.#parts.onError(error);
    }
  }
}
