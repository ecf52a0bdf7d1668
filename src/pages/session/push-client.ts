import type { ClientSession, SyncBase } from "./client-session.js";

export interface PushClientOptions {
  /** Of the local version, in bytes. In a plain session its unit: 4096, and the last page may be shorter. */
  readonly pageSize: number;
  readonly pageCount: number;
  /** Where the file came from; `null` where it was never synced. */
  readonly base: SyncBase | null;
  /** Replaces what others have pushed meanwhile. Default `false`. */
  readonly force?: boolean;
  /** Combined hash of all pages of a push whose answer never came. */
  readonly pendingRootHash?: Uint8Array;
  /** Speak the plain protocol: after a `restart` that says so. Default `false`. */
  readonly plain?: boolean;
}

/** The session of a client that pushes. */
export function createPushClient(_options: PushClientOptions): ClientSession {
  throw new Error("under construction");
}
