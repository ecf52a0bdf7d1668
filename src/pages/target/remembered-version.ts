import type { ServerVersion } from "./server-version.js";

/** What both ends had after the last sync of a file. */
export interface SyncedVersion extends ServerVersion {
  /** Combined hash of all pages of the local file as it was on disk after the sync. While the file has it, page 1 counts with `pageOneHeader`. */
  readonly fingerprint: Uint8Array;
}

/** A version that is being written to a file. */
export interface ReplacingVersion extends ServerVersion {
  /** Combined hash of all pages of the file that is written over; `null` where there was none, or no database. */
  readonly over: Uint8Array | null;
}

/** What is remembered of a file's syncs. */
export interface SyncRecord {
  /** `null` before the first sync. */
  readonly synced: SyncedVersion | null;
  /** A push whose answer was not seen. `database` is `null` where the server had not said it. */
  readonly pending: { readonly database: string | null; readonly rootHash: Uint8Array } | null;
  /** A version that was being written to the file when the record was: the file is the one of `synced`, or this one. `replaceTarget` sets it. */
  readonly replacing: ReplacingVersion | null;
}
