import type { PageHashes } from "./page-hashes.js";

/** A file that the hashes of pages are written to, in order. */
export interface PageHashesFile {
  /** Those of the next pages, one after the other. Wait for it before the next one. */
  append(hashes: Uint8Array): Promise<void>;
  /** Writes what is left, and opens the file for reading. It is not synced. */
  finish(): Promise<PageHashes>;
  /** Gives it up without `finish`; after it, this does nothing. The file stays. */
  close(): Promise<void>;
}

/**
 * @param options.offset bytes before the first hash, which are somebody else's: they are left as they are. Default 0: a file that is there is replaced.
 * @throws `PAGE_STORE`
 */
export async function createPageHashesFile(
  _path: string,
  _options: { readonly offset?: number } = {},
): Promise<PageHashesFile> {
  throw new Error("Not written yet");
}
