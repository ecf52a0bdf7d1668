const CHUNK_PAGES = 1024;
const CHUNK_WORDS = CHUNK_PAGES / 32;
const FULL_WORD = 0xffff_ffff;

/** Pages next to each other, both ends included. */
export interface PageRange {
  readonly startPage: number;
  readonly endPage: number;
}

/**
 * A set of page numbers: one bit each, in chunks that exist where something is in them and take one entry where they are full. So memory grows
 * with what is put in, never with the largest number.
 */
export class PageSet {
  readonly #chunks = new Map<number, Uint32Array | "full">();
  #size = 0;
  #highest = 0;
  #cursor = 1;

  /** How many pages it has. */
  get size(): number {
    return this.#size;
  }

  has(pageNo: number): boolean {
    const chunk = this.#chunks.get(chunkOf(pageNo));
    if (chunk === undefined || chunk === "full") return chunk === "full";
    return ((wordOf(chunk, pageNo) >>> (pageNo & 31)) & 1) === 1;
  }

  /** @returns whether it was not there before */
  add(pageNo: number): boolean {
    if (this.has(pageNo)) return false;
    const index = chunkOf(pageNo);
    const chunk = this.#bits(index);
    chunk[(pageNo % CHUNK_PAGES) >>> 5] = (wordOf(chunk, pageNo) | (1 << (pageNo & 31))) >>> 0;
    if (chunk.every((word) => word === FULL_WORD)) this.#chunks.set(index, "full");
    this.#size += 1;
    this.#highest = Math.max(this.#highest, pageNo);
    return true;
  }

  /** @returns whether it was there before */
  delete(pageNo: number): boolean {
    if (!this.has(pageNo)) return false;
    const index = chunkOf(pageNo);
    const chunk = this.#bits(index);
    chunk[(pageNo % CHUNK_PAGES) >>> 5] = (wordOf(chunk, pageNo) & ~(1 << (pageNo & 31))) >>> 0;
    if (chunk.every((word) => word === 0)) this.#chunks.delete(index);
    this.#size -= 1;
    return true;
  }

  addRange({ startPage, endPage }: PageRange): void {
    let pageNo = startPage;
    while (pageNo <= endPage) {
      const index = chunkOf(pageNo);
      const last = lastOf(index);
      if (pageNo % CHUNK_PAGES === 0 && last <= endPage) {
        this.#size += CHUNK_PAGES - this.#count(index);
        this.#chunks.set(index, "full");
        pageNo = last + 1;
      } else {
        this.add(pageNo);
        pageNo += 1;
      }
    }
    this.#highest = Math.max(this.#highest, endPage);
  }

  /** Takes out up to `max` pages next to each other, going on behind those of the call before, and around; `null` where it is empty. */
  take(max: number): PageRange | null {
    const startPage = this.#next(this.#cursor, this.#highest, true) ?? this.#next(1, this.#highest, true);
    if (startPage === null) return null;
    this.delete(startPage);
    let endPage = startPage;
    while (endPage - startPage + 1 < max && this.delete(endPage + 1)) endPage += 1;
    this.#cursor = endPage + 1;
    return { startPage, endPage };
  }

  /** The first pages from `from` to `to` next to each other that it does not have; `null` where it has all. */
  missing(from: number, to: number): PageRange | null {
    const startPage = this.#next(from, to, false);
    if (startPage === null) return null;
    const after = this.#next(startPage, Math.min(to, this.#highest), true);
    return { startPage, endPage: after === null ? to : after - 1 };
  }

  /** The first page from `from` to `to` that is in it, or that is not. */
  #next(from: number, to: number, isIn: boolean): number | null {
    let pageNo = from;
    while (pageNo <= to) {
      const chunk = this.#chunks.get(chunkOf(pageNo));
      const isUniform = chunk === undefined || chunk === "full";
      if (this.has(pageNo) === isIn) return pageNo;
      pageNo = isUniform ? lastOf(chunkOf(pageNo)) + 1 : pageNo + 1;
    }
    return null;
  }

  /** A chunk that can be changed. */
  #bits(index: number): Uint32Array {
    const chunk = this.#chunks.get(index);
    if (chunk !== undefined && chunk !== "full") return chunk;
    const bits = new Uint32Array(CHUNK_WORDS);
    if (chunk === "full") bits.fill(FULL_WORD);
    this.#chunks.set(index, bits);
    return bits;
  }

  #count(index: number): number {
    const chunk = this.#chunks.get(index);
    if (chunk === undefined) return 0;
    if (chunk === "full") return CHUNK_PAGES;
    let count = 0;
    for (const word of chunk) for (let rest = word; rest !== 0; rest &= rest - 1) count += 1;
    return count;
  }
}

function chunkOf(pageNo: number): number {
  return Math.floor(pageNo / CHUNK_PAGES);
}

function lastOf(index: number): number {
  return index * CHUNK_PAGES + CHUNK_PAGES - 1;
}

function wordOf(chunk: Uint32Array, pageNo: number): number {
  return chunk[(pageNo % CHUNK_PAGES) >>> 5] ?? 0;
}
