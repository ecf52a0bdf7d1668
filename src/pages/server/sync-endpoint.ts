import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Accounts } from "../accounts/accounts.js";
import type { PageStore } from "../store/page-store.js";
import type { Tokens } from "../tokens/token-claims.js";

/** Room for one push, held from its `hello` to its end, so that pushes to several databases of an organisation cannot pass its quota together. */
export interface StorageQuota {
  /**
   * @param bytes what the database will take: page size times pages, as the peer has announced it
   * @returns gives the room back: called once when the push has ended, committed or not
   * @throws `QUOTA_EXCEEDED`, naming the quota that is too small
   */
  reserve(orgId: string, databaseId: string, bytes: number): Promise<() => void>;
}

/** A push that has been committed. */
export interface SyncCommit {
  readonly databaseId: string;
  readonly generation: number;
  readonly rootHash: Uint8Array;
}

/** What `createSyncEndpoint` takes. It opens and closes neither store nor accounts. */
export interface SyncEndpointParts {
  readonly tokens: Pick<Tokens, "verify">;
  readonly accounts: Pick<Accounts, "account" | "database">;
  readonly store: Pick<PageStore, "read" | "stage">;
  readonly quota: StorageQuota;
  /** What one database may take, in bytes: absurd numbers of pages are refused by it. */
  readonly maxDatabaseBytes: number;
  /** Another sync is answered 503 before the upgrade. */
  readonly maxSyncs: number;
  /** A peer that neither sends nor takes anything for so long is cut off. */
  readonly idleMs: number;
  /** Called right after each commit that made a new generation, before the client is answered; does not throw. */
  onCommit(commit: SyncCommit): void;
  /** Told of what fails on the server's side, never of what peers do wrong; does not throw. */
  onError(error: unknown): void;
}

/** All syncs of one page server. Made by `createSyncEndpoint`. */
export interface SyncEndpoint {
  /** Syncs under way. */
  readonly active: number;
  /**
   * For an HTTP server's `upgrade` event: a WebSocket at `/sync` with a sync token. All else is answered as HTTP: 401, 404 (another path, or a database
   * that is not there), 426, 503. Takes over the socket; never throws. The token is looked at here alone: a sync that has begun may finish after its expiry.
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void;
  /**
   * Ends all syncs of a database that has been deleted, with an `error` frame; resolves when none of them touches the store any more. A commit that has
   * begun finishes first. To be called after the accounts have forgotten it, and before its files are removed.
   */
  endDatabase(databaseId: string): Promise<void>;
  /**
   * Takes no new syncs, lets commits under way finish, ends the rest with an `error` frame, and cuts off sockets that have not ended after `graceMs`.
   * Resolves when none touches the store and no socket is left.
   */
  close(graceMs: number): Promise<void>;
}
