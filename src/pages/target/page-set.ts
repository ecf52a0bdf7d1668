const CHUNK = 65_536;

/** Page numbers, a bit each: memory only for the neighbourhoods of those that are in it. */
export class PageSet {
  readonly #chunks = new Map<number, Uint8Array>();

  /** @returns `false` where it was in it already */
  add(pageNo: number): boolean {
    const key = Math.floor(pageNo / CHUNK);
    let chunk = this.#chunks.get(key);
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK / 8);
      this.#chunks.set(key, chunk);
    }
    const [at, bit] = placeOf(pageNo);
    const bits = chunk[at] ?? 0;
    chunk[at] = bits | bit;
    return (bits & bit) === 0;
  }

  has(pageNo: number): boolean {
    const [at, bit] = placeOf(pageNo);
    return ((this.#chunks.get(Math.floor(pageNo / CHUNK))?.[at] ?? 0) & bit) !== 0;
  }
}

function placeOf(pageNo: number): [at: number, bit: number] {
  const within = pageNo % CHUNK;
  return [within >> 3, 1 << (within & 7)];
}
