import { ReplicaError } from "../../errors.js";
import type { ClientOutcome, ClientRestart, ClientSession } from "../session/client-session.js";
import { runSession, type SessionPorts } from "./run-session.js";
import { SyncConnection, type SyncConnectionOptions } from "./sync-connection.js";

/** What one connection is for. */
export interface Attempt {
  readonly session: ClientSession;
  readonly ports: SessionPorts;
}

/** A sync may have to begin again for an answer that was lost, and for a server that is a plain one: more is no end to it. */
const MOST_ATTEMPTS = 4;

/** The connections of one sync, one after the other, and what went over them. */
export class ServerLink {
  readonly #options: SyncConnectionOptions;
  #connection: SyncConnection | undefined;
  #bytesSent = 0;
  #bytesReceived = 0;

  constructor(options: SyncConnectionOptions) {
    this.#options = options;
  }

  get bytesSent(): number {
    return this.#bytesSent + (this.#connection?.bytesSent ?? 0);
  }

  get bytesReceived(): number {
    return this.#bytesReceived + (this.#connection?.bytesReceived ?? 0);
  }

  /**
   * Runs sessions until one has come to its end.
   * @param attempt makes the next one, as the one before has asked for it
   * @throws what `runSession` throws
   */
  async converse(attempt: (restart: ClientRestart | null) => Promise<Attempt>): Promise<ClientOutcome> {
    let restart: ClientRestart | null = null;
    for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts += 1) {
      const { session, ports } = await attempt(restart);
      const connection = await SyncConnection.open(this.#options);
      this.#connection = connection;
      try {
        const end = await runSession(session, connection, ports);
        if (end.do === "finish") return end.outcome;
        restart = end.how;
      } finally {
        await connection.close();
        this.#bytesSent += connection.bytesSent;
        this.#bytesReceived += connection.bytesReceived;
        this.#connection = undefined;
      }
    }
    throw new ReplicaError("PAGE_PROTOCOL", "The page server made the sync begin again and again");
  }
}
