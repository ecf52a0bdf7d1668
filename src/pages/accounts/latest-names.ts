/** Names that were seen last, at most so many. */
export class LatestNames {
  readonly #max: number;
  readonly #names = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Makes it the latest, and forgets the one that was seen longest ago. */
  add(name: string): void {
    this.#names.delete(name);
    this.#names.add(name);
    if (this.#names.size <= this.#max) return;
    for (const first of this.#names) {
      this.#names.delete(first);
      return;
    }
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }
}
