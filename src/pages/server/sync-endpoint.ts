import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Accounts } from "../accounts/accounts.js";
import type { PageStore } from "../store/page-store.js";
import type { Tokens } from "../tokens/token-claims.js";

/** Where syncs begin. WIRE.md, section 2. */
export const SYNC_PATH = "/sync";

/** What `createSyncEndpoint` takes. */
export interface SyncEndpointOptions {
  readonly tokens: Pick<Tokens, "verify">;
  readonly accounts: Pick<Accounts, "database">;
  readonly store: Pick<PageStore, "read" | "stage">;
  /** How many bytes this database may have after a push; asked once, when a push begins. */
  readonly quota: (databaseId: string, orgId: string) => Promise<number>;
  /** Syncs under way at once; another is answered 503. */
  readonly maxSyncs: number;
  /** A peer that neither sends nor takes anything for so long is cut off. */
  readonly idleMs: number;
  /** Told once after each commit that made a new generation, before the client is answered. What it throws goes to `onError`. */
  readonly onCommit: (commit: {
    readonly databaseId: string;
    readonly orgId: string;
    readonly generation: number;
    readonly rootHash: Uint8Array;
  }) => void;
  /** Told of what fails on the server's side, never of a peer's mistakes. */
  readonly onError: (error: unknown) => void;
}

/** The WebSocket endpoint of page sync. */
export interface SyncEndpoint {
  /** Syncs under way. */
  readonly active: number;
  /** Handler of an HTTP server's `upgrade` event: answers whatever comes, also for other paths (404). Never throws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Ends all syncs of a database, told that it was deleted. Resolves when none of them touches the store any more: a commit that has begun finishes
   * first. To be called after it is gone from the accounts and before its files are removed.
   */
  endDatabase(databaseId: string): Promise<void>;
  /** No new syncs; commits that have begun finish, all else is ended. Resolves when nothing touches the store and no socket is left. */
  close(): Promise<void>;
}

/** The endpoint over a store; opens and closes neither the store nor the accounts. */
export function createSyncEndpoint(_options: SyncEndpointOptions): SyncEndpoint {
  throw new Error("under construction");
}
