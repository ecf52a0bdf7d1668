import type { ClientSession, SyncBase } from "./client-session.js";

export interface PullClientOptions {
  /** The file that is there already; `null` where there is none. In a plain session in its unit, 4096, and the last page may be shorter. */
  readonly local: { readonly pageSize: number; readonly pageCount: number } | null;
  /** Where the file came from; `null` where it was never synced. */
  readonly base: SyncBase | null;
  /** Speak the plain protocol: after a `restart` that says so. Default `false`. */
  readonly plain?: boolean;
}

/** The session of a client that pulls. */
export function createPullClient(_options: PullClientOptions): ClientSession {
  throw new Error("under construction");
}
