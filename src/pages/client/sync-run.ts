import type { SyncBase } from "../session/client-session.js";
import type { SyncedVersion, SyncRecord } from "../target/remembered-version.js";
import type { ServerLink } from "./server-link.js";
import type { SyncCall } from "./sync-call.js";
import type { SyncProgress } from "./sync-progress.js";

/** One sync that is under way, with what both directions need. */
export interface SyncRun {
  readonly call: SyncCall;
  readonly signal: AbortSignal;
  /** Of the file, as `resolveTarget` gives it. */
  readonly path: string;
  /** A folder for its own files. */
  readonly workDir: string;
  /** Whether anything can be remembered beside the file. */
  readonly isWritable: boolean;
  readonly record: SyncRecord;
  /** Whether there is a record that cannot be understood: then `record` is empty, and nobody knows whether the file was changed. */
  readonly isRecordLost: boolean;
  readonly progress: SyncProgress;
  readonly link: ServerLink;
  /** For the user; may be added to. */
  readonly notices: string[];
}

/** Where the file comes from, as the session tells it. */
export function baseOf(synced: SyncedVersion | null): SyncBase | null {
  if (synced === null || synced.database === null) return null;
  return { database: synced.database, generation: synced.generation, rootHash: synced.rootHash };
}
