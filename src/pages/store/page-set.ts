/** Numbers of pages, in a bit each. */
export class PageSet {
  #bits = new Uint8Array(64);

  has(pageNo: number): boolean {
    return (((this.#bits[pageNo >>> 3] ?? 0) >>> (pageNo & 7)) & 1) === 1;
  }

  add(pageNo: number): void {
    const at = pageNo >>> 3;
    if (at >= this.#bits.length) {
      const more = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      more.set(this.#bits);
      this.#bits = more;
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (pageNo & 7));
  }

  delete(pageNo: number): void {
    const at = pageNo >>> 3;
    if (at < this.#bits.length) this.#bits[at] = (this.#bits[at] ?? 0) & ~(1 << (pageNo & 7));
  }

  /** Whether any of these is in it, both ends included. */
  any(startPage: number, endPage: number): boolean {
    const end = Math.min(endPage, this.#bits.length * 8 - 1);
    for (let pageNo = startPage; pageNo <= end; ) {
      if ((pageNo & 7) === 0 && this.#bits[pageNo >>> 3] === 0) pageNo += 8;
      else if (this.has(pageNo)) return true;
      else pageNo += 1;
    }
    return false;
  }
}
