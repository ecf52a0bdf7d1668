import { setImmediate as yieldTurn } from "node:timers/promises";
import { createBLAKE3 } from "hash-wasm";
import { HASH_BYTES, type PageHashes } from "../hashes/page-hashes.js";

/** 2 MiB of hashes. */
const STEP = 65_536;

/**
 * Combined hash of all pages, with other hashes in the places of some.
 * @param replaced by page number
 */
export async function combinedWith(hashes: PageHashes, replaced: ReadonlyMap<number, Uint8Array>): Promise<Uint8Array> {
  const hasher = (await createBLAKE3()).init();
  for (let start = 1; start <= hashes.pageCount; start += STEP) {
    const count = Math.min(STEP, hashes.pageCount - start + 1);
    const some = await hashes.read(start, count);
    for (const [pageNo, hash] of replaced) {
      if (pageNo >= start && pageNo < start + count) some.set(hash, (pageNo - start) * HASH_BYTES);
    }
    hasher.update(some);
    await yieldTurn();
  }
  return hasher.digest("binary");
}
