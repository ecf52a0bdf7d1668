/** Polls in a row that must find no document before `missing: "remove"` believes it. */
const POLLS_BEFORE_REMOVAL = 3;

/** Counts how long the primary has said that it has no document. One such answer may be a lagging read. */
export class MissingWatch {
  #since: number | null = null;
  #polls = 0;

  /** When the first of the answers in a row came; ISO 8601, `null` when the last answer was a document. */
  get since(): string | null {
    return this.#since === null ? null : new Date(this.#since).toISOString();
  }

  saw(): void {
    this.#since ??= Date.now();
    this.#polls += 1;
  }

  clear(): void {
    this.#since = null;
    this.#polls = 0;
  }

  /** Whether it has been gone for long enough, and often enough, to remove the local copy. */
  isCertain(graceMs: number): boolean {
    return this.#since !== null && this.#polls >= POLLS_BEFORE_REMOVAL && Date.now() - this.#since >= graceMs;
  }
}
