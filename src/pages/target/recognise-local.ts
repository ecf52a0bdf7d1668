import type { PageHashes } from "../hashes/page-hashes.js";
import type { PageSource } from "../source/page-source.js";
import { combinedWith } from "./combined-with.js";
import { isPageOneAsWritten } from "./page-one-as-written.js";
import type { SyncedVersion, SyncRecord } from "./remembered-version.js";
import type { ServerVersion } from "./server-version.js";

/**
 * Which version of the server a local file is, unchanged: the one of the last sync, or one that a pull had written just before it was cut off. Then its
 * page 1 counts with `pageOneHeader` (`withPageOne`).
 * @param hashes of all pages of `source`, page 1 as it is there
 * @returns with the file's own fingerprint; `null` where it is neither: it was changed, or never synced
 */
export async function recogniseLocal(
  { synced, replacing }: SyncRecord,
  source: PageSource,
  hashes: PageHashes,
): Promise<SyncedVersion | null> {
  const fingerprint = await combinedWith(hashes, new Map());
  for (const version of [synced, replacing]) {
    if (version === null) continue;
    const isAsSynced = version === synced && equal(fingerprint, synced.fingerprint);
    if (await isVersion(version, { source, hashes, isAsSynced })) return { ...version, fingerprint };
  }
  return null;
}

interface Found {
  readonly source: PageSource;
  readonly hashes: PageHashes;
  /** Whether every page is as it was after the last sync. */
  readonly isAsSynced: boolean;
}

async function isVersion(version: ServerVersion, { source, hashes, isAsSynced }: Found): Promise<boolean> {
  if (version.pageCount === 0) return isAsSynced;
  if (version.pageCount !== source.pageCount || version.pageSize !== source.pageSize) return false;
  if (!(await isPageOneAsWritten(version, source.read(1, 1)))) return false;
  // The page that SQLite's locks stand in is never written, and may differ from what was received.
  return isAsSynced || equal(await combinedWith(hashes, new Map([[1, version.pageOneHash]])), version.rootHash);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
