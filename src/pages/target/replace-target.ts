import type { StagedVersion } from "./stage-version.js";
import type { SyncedVersion } from "./sync-record.js";
import type { TargetWatch } from "./watch-target.js";

export interface ReplaceOptions {
  readonly path: string;
  readonly staged: StagedVersion;
  /** What the server said of it; `null` where it is a plain one. */
  readonly version: { readonly database: string; readonly generation: number } | null;
  /** The file must not have changed since this began, else `LOCAL_CHANGES`. `null`: it may have. */
  readonly watch: TargetWatch | null;
  /** Also replaces what is no database, or a damaged one, by taking its place: other programs that have it open keep the old one. Default `false`. */
  readonly force?: boolean;
  /** How long readers and writers are waited for, in seconds. Default 30. */
  readonly patienceSeconds?: number;
  readonly signal?: AbortSignal;
  /** Told after each step, in pages. */
  readonly onProgress?: (progress: { readonly pagesDone: number; readonly pagesTotal: number }) => void;
}

/**
 * Makes the file what was staged, in one transaction that readers in other processes survive, or by a rename where there is none; then writes the record
 * beside it. No source of the file may be open in this process. However it ends, the file is the old version or the new one, whole.
 * @returns what was remembered; `null` where somebody wrote at once after us, so that the next sync compares everything
 * @throws `LOCAL_CHANGES`, `LOCAL_DATABASE`, `NOT_A_DATABASE`, the signal's reason
 */
export async function replaceTarget(_options: ReplaceOptions): Promise<SyncedVersion | null> {
  throw new Error("Not written yet");
}
