import type { PageHasher } from "../hashes/page-hasher.js";
import type { PageHashes } from "../hashes/page-hashes.js";
import type { PageSource } from "./page-source.js";

export interface HashPageSourceOptions {
  /** Where the hashes are written; a file that is there is replaced. */
  readonly path: string;
  readonly hasher: PageHasher;
  readonly signal?: AbortSignal;
  /** Told after each step of at most a few MB. */
  readonly onProgress?: (progress: { readonly pagesDone: number; readonly pagesTotal: number }) => void;
}

/** The hashes of all pages. Blocks its thread, but for moments in which an abort is heard. */
export async function hashPageSource(_source: PageSource, _options: HashPageSourceOptions): Promise<PageHashes> {
  throw new Error("Not written yet");
}
