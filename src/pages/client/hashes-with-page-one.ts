import { createBLAKE3 } from "hash-wasm";
import type { PageHashes } from "../hashes/page-hashes.js";

/** Hashes that are read at a time: a quarter of a megabyte. */
const HASHES_AT_ONCE = 8_192;

/** The same hashes with another one for page 1, as `withPageOne` has other bytes. Closing it closes `hashes`. */
export function hashesWithPageOne(hashes: PageHashes, pageOneHash: Uint8Array): PageHashes {
  const read = async (startPage: number, count: number): Promise<Uint8Array> => {
    const found = await hashes.read(startPage, count);
    if (startPage === 1 && count > 0) found.set(pageOneHash);
    return found;
  };
  return {
    pageCount: hashes.pageCount,
    read,
    async combined(startPage, endPage) {
      if (startPage > 1) return hashes.combined(startPage, endPage);
      const blake3 = (await createBLAKE3()).init();
      for (let page = startPage; page <= endPage; page += HASHES_AT_ONCE) {
        blake3.update(await read(page, Math.min(HASHES_AT_ONCE, endPage - page + 1)));
      }
      return blake3.digest("binary");
    },
    close: () => hashes.close(),
  };
}
