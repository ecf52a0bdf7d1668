import { existsSync } from "node:fs";
import { ReplicaError } from "../../errors.js";
import { fingerprintOf } from "./fingerprint-of.js";
import type { StagedVersion } from "./finish-version.js";
import { placeVersion } from "./place-version.js";
import type { SyncedVersion } from "./remembered-version.js";
import type { ServerVersion } from "./server-version.js";
import { sniffTarget } from "./sniff-target.js";
import { readSyncRecord, writeSyncRecord } from "./sync-record.js";
import { isDamage, mapTargetError } from "./target-error.js";
import type { TargetWatch } from "./watch-target.js";
import { writeOver } from "./write-over.js";

export interface ReplaceOptions {
  /** As `resolveTarget` gives it. */
  readonly path: string;
  readonly staged: StagedVersion;
  /** What the server said of it; `null` where it is a plain one. */
  readonly version: { readonly database: string; readonly generation: number } | null;
  /** Combined hash of all pages of the file as it was read; `null` where there was none, or no database. */
  readonly over: Uint8Array | null;
  /** The file must not have been written to since this began, else `LOCAL_CHANGES`. `null`: it may have been. */
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
 * Makes the file what was staged, in one transaction that readers in other processes survive, or by taking a place that is free; then writes the record
 * beside it. A file that is there keeps its journal mode. In rollback mode readers wait while it is written, in WAL mode they do not. No source of the file
 * may be open in this process: closing it would let go of our locks. However it ends, the file is the old version or the new one, whole.
 * @returns what is remembered now
 * @throws `LOCAL_CHANGES`, `LOCAL_DATABASE`, `NOT_A_DATABASE`, the signal's reason
 */
export async function replaceTarget(options: ReplaceOptions): Promise<SyncedVersion> {
  const { path, staged, version, over } = options;
  const written: ServerVersion = {
    database: version?.database ?? null,
    generation: version?.generation ?? null,
    pageSize: staged.pageSize,
    pageCount: staged.pageCount,
    rootHash: staged.rootHash,
    pageOneHeader: staged.pageOneHeader,
    pageOneHash: staged.pageOneHash,
  };
  const { record } = await readSyncRecord(path);
  // Before the first byte: a sync after a crash knows the file by it, whichever version it is (`recogniseLocal`).
  await writeSyncRecord(path, { ...record, replacing: { ...written, over } });
  try {
    await write(options);
  } catch (error) {
    // What the system or SQLite failed at may have been the step behind the commit.
    const isUntouched = error instanceof ReplicaError || error === options.signal?.reason || !existsSync(path);
    if (isUntouched) await writeSyncRecord(path, record).catch(() => {});
    throw mapTargetError(error, `The local database ${path} cannot be replaced`);
  }
  const synced = { ...written, fingerprint: await fingerprintOf(path, staged) };
  await writeSyncRecord(path, { synced, pending: null, replacing: null });
  await staged.close();
  return synced;
}

async function write(options: ReplaceOptions): Promise<void> {
  const { path, staged, force = false } = options;
  const kind = sniffTarget(path);
  if (kind === "missing") return await placeVersion(path, staged, { isFree: true, force });
  if (kind !== "foreign") {
    try {
      return await writeOver(options);
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (!force) throw foreign(path, "is damaged", error);
    }
  } else if (!force) {
    throw foreign(path, "is no SQLite database, or an encrypted one");
  }
  options.signal?.throwIfAborted();
  await placeVersion(path, staged, { isFree: false, force });
}

function foreign(path: string, what: string, cause?: unknown): ReplicaError {
  return new ReplicaError("NOT_A_DATABASE", `The local file ${path} ${what}: it was left as it is`, {
    hint: "Move it away, or pull with --force (`force: true`) to put the pulled database in its place.",
    ...(cause === undefined ? {} : { cause }),
  });
}
