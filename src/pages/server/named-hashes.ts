/** Pages of one block; a block takes 16 KiB and is made when one of its pages is named. */
const BLOCK_PAGES = 4096;
/** 4 MiB for each of the syncs that may be under way, whatever their peers name. Pages beyond are not checked: those after 4 GiB of 4096 bytes each. */
const MAX_BLOCKS = 256;

/**
 * What a push has said of the pages that it is asked for: four bytes of each hash, since a client that hashes one page and sends another does so by
 * mistake, most likely because its file was written to meanwhile.
 */
export class NamedHashes {
  readonly #blocks = new Map<number, Uint32Array>();

  remember(pageNo: number, hash: Uint8Array): void {
    const index = Math.floor(pageNo / BLOCK_PAGES);
    let block = this.#blocks.get(index);
    if (block === undefined) {
      if (this.#blocks.size >= MAX_BLOCKS) return;
      block = new Uint32Array(BLOCK_PAGES);
      this.#blocks.set(index, block);
    }
    block[pageNo % BLOCK_PAGES] = mark(hash);
  }

  /** Whether the page was named. */
  has(pageNo: number): boolean {
    return this.#get(pageNo) !== 0;
  }

  /** Whether this is the hash of a page that was named. */
  matches(pageNo: number, hash: Uint8Array): boolean {
    return this.#get(pageNo) === mark(hash);
  }

  #get(pageNo: number): number {
    return this.#blocks.get(Math.floor(pageNo / BLOCK_PAGES))?.[pageNo % BLOCK_PAGES] ?? 0;
  }
}

/** Never 0, which is a page that was not named. */
function mark(hash: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = hash;
  return (a | (b << 8) | (c << 16) | (d << 24) | 1) >>> 0;
}
