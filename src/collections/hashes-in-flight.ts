/** Hashes of documents that are on their way to the primary: what it announces under one of them is our own write. */
export class HashesInFlight {
  readonly #hashes = new Map<string, number>();

  has(hash: string): boolean {
    return this.#hashes.has(hash);
  }

  /** Counts the hash as on its way until `work` has ended; `null` counts nothing. */
  async during<T>(hash: string | null, work: () => Promise<T>): Promise<T> {
    if (hash === null) return await work();
    this.#hashes.set(hash, (this.#hashes.get(hash) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#hashes.get(hash) ?? 1) - 1;
      if (left > 0) this.#hashes.set(hash, left);
      else this.#hashes.delete(hash);
    }
  }
}
