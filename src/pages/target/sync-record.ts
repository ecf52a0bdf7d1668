/** What both ends had after the last sync of a file. */
export interface SyncedVersion {
  /** Id and generation as the server said them; `null` where it is a plain one, which knows none. */
  readonly database: string | null;
  readonly generation: number | null;
  /** Of the database, in bytes. */
  readonly pageSize: number;
  readonly pageCount: number;
  /** Combined hash of all pages of the server's version. */
  readonly rootHash: Uint8Array;
  /** Page 1 of the server's version, whole: SQLite changes a few bytes of it when the version is written to a file that is in use. */
  readonly pageOne: Uint8Array;
  readonly pageOneHash: Uint8Array;
  /** Combined hash of all pages of the local file as it was on disk after the sync. While the file has it, page 1 counts as `pageOne`. */
  readonly fingerprint: Uint8Array;
}

/** What is remembered of a file's syncs, in `<file>-replica.json`. */
export interface SyncRecord {
  /** `null` before the first sync. */
  readonly synced: SyncedVersion | null;
  /** A push whose answer was not seen. `database` is `null` where the server had not said it. */
  readonly pending: { readonly database: string | null; readonly rootHash: Uint8Array } | null;
}

/**
 * @param path of the database, as `resolveTarget` gives it
 * @returns an empty record where there is none. Also where it cannot be understood: then `notice` says so, for the user, and the next write replaces it.
 * @throws `LOCAL_DATABASE` where it is there and cannot be read
 */
export async function readSyncRecord(_path: string): Promise<{ record: SyncRecord; notice: string | null }> {
  throw new Error("Not written yet");
}

/**
 * In one durable step; a record with nothing in it removes the file. Readable by who may read the database.
 * @throws `LOCAL_DATABASE`
 */
export async function writeSyncRecord(_path: string, _record: SyncRecord): Promise<void> {
  throw new Error("Not written yet");
}
