/** Bytes of a page's hash: BLAKE3. */
export const HASH_BYTES = 32;

/**
 * The hashes of all pages of one version of a database, in a file, so that memory stays the same whatever the size. Pages count from 1. Not for use by
 * two calls at once.
 */
export interface PageHashes {
  readonly pageCount: number;
  /** BLAKE3 over the hashes of these pages in order, both ends included. Of one page it is not the page's own hash. */
  combined(startPage: number, endPage: number): Promise<Uint8Array>;
  /** The hashes of `count` pages, one after the other: `count * HASH_BYTES` bytes, a copy. */
  read(startPage: number, count: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
