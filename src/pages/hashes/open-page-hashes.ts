import type { PageHashes } from "./page-hashes.js";

export interface PageHashesPlace {
  readonly pageCount: number;
  /** Where the first hash stands in the file, in bytes. Default 0. */
  readonly offset?: number;
}

/**
 * The hashes of pages in a file of 32 bytes each, which others may go on changing in place: nothing is kept in memory between two calls.
 * No call blocks the event loop for longer than a millisecond.
 * @throws `PAGE_STORE` where there is no such file, or it is not as long as it has to be: `offset + pageCount * HASH_BYTES`.
 */
export async function openPageHashes(_path: string, _place: PageHashesPlace): Promise<PageHashes> {
  throw new Error("Not written yet");
}
