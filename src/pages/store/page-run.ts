import type { PageHasher } from "../hashes/page-hasher.js";
import { HASH_BYTES } from "../hashes/page-hashes.js";
import { CHUNK_BYTES } from "./file-pages.js";
import type { PushedPages } from "./pushed-pages.js";

/** Pages that came one after the other, to be written at once: a write of 4096 bytes takes as long as one of a hundred times as many. */
export class PageRun {
  readonly #pushed: PushedPages;
  readonly #hasher: PageHasher;
  /** Made with the first page: most pushes have few or none. */
  #data: Buffer = Buffer.alloc(0);
  #hashes: Buffer = Buffer.alloc(0);
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(pushed: PushedPages, hasher: PageHasher) {
    this.#pushed = pushed;
    this.#hasher = hasher;
  }

  /** Whether one of these waits to be written, both ends included. */
  any(startPage: number, endPage: number): boolean {
    return this.#count > 0 && startPage < this.#start + this.#count && endPage >= this.#start;
  }

  async put(pageNo: number, data: Uint8Array): Promise<void> {
    const follows = pageNo === this.#start + this.#count && this.#bytes === this.#count * this.#pushed.unit;
    if (!follows) await this.flush();
    if (this.#data.length === 0) {
      this.#data = Buffer.allocUnsafe(CHUNK_BYTES);
      this.#hashes = Buffer.alloc((CHUNK_BYTES / this.#pushed.unit) * HASH_BYTES);
    }
    if (this.#count === 0) this.#start = pageNo;
    this.#data.set(data, this.#bytes);
    this.#hashes.set(this.#hasher.hash(data), this.#count * HASH_BYTES);
    this.#count += 1;
    this.#bytes += data.length;
    if (this.#bytes + this.#pushed.unit > CHUNK_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const bytes = this.#bytes;
    this.#bytes = 0;
    await this.#pushed.write(this.#start, this.#data.subarray(0, bytes), this.#hashes.subarray(0, count * HASH_BYTES));
  }
}
