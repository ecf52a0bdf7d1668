import { ReplicaError } from "../../errors.js";

const HASHES_PER_PAGE = 64;
const FREE_HASHES = 1_000_000;

/** How many hashes a client may make a server compare in one session: each page of the stored version, or of a larger one that is pushed, this often, and a million. An honest client needs 8 per page. */
export class WorkLimit {
  #left = FREE_HASHES;

  /** @param pageCount nothing that a client may say as it likes */
  begin(pageCount: number): void {
    this.#left = FREE_HASHES + HASHES_PER_PAGE * pageCount;
  }

  /** @throws `PAGE_PROTOCOL` where it is too much */
  spend(hashes: number): void {
    this.#left -= hashes;
    if (this.#left < 0) {
      throw new ReplicaError("PAGE_PROTOCOL", "The client had far more hashes compared than a sync needs.");
    }
  }
}
