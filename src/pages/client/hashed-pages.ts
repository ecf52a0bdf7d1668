import type { PageHashes } from "../hashes/page-hashes.js";
import type { PageSource } from "../source/page-source.js";

/** Pages and their hashes, as a session sends them. */
export interface HashedPages {
  readonly source: PageSource;
  readonly hashes: PageHashes;
}
