import type { PageHashes } from "../hashes/page-hashes.js";
import type { PageSource } from "../source/page-source.js";
import { combinedWith } from "./combined-with.js";
import { isPageOneAsWritten } from "./page-one-as-written.js";
import type { SyncedVersion, SyncRecord } from "./remembered-version.js";

/**
 * Which version of the server a local file is, unchanged: the one of the last sync, or one that a pull had written just before it was cut off. Then its
 * page 1 counts as `pageOne` (`withPageOne`).
 * @param hashes of all pages of `source`, page 1 as it is there
 * @returns `null` where it is neither: it was changed, or never synced
 */
export async function recogniseLocal(
  { synced, replacing }: SyncRecord,
  source: PageSource,
  hashes: PageHashes,
): Promise<SyncedVersion | null> {
  const fingerprint = await combinedWith(hashes, new Map());
  if (synced !== null && equal(fingerprint, synced.fingerprint)) return synced;
  if (replacing === null || replacing.pageCount === 0) return null;
  if (replacing.pageCount !== source.pageCount || replacing.pageSize !== source.pageSize) return null;
  if (!isPageOneAsWritten(replacing.pageOne, source.read(1, 1), source.pageCount)) return null;
  const received = await combinedWith(hashes, new Map([[1, replacing.pageOneHash]]));
  return equal(received, replacing.rootHash) ? { ...replacing, fingerprint } : null;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
