import type { SyncProgress } from "./sync-progress.js";

/** Tells what one session has compared and transferred. */
export class AttemptProgress {
  readonly #progress: SyncProgress;
  #pageSize = 0;
  #total: number | null = null;
  #compared = 0;
  #transferred = 0;

  constructor(progress: SyncProgress) {
    this.#progress = progress;
  }

  /** @param total pages that will be transferred; `null` where nobody knows yet */
  begin(pageSize: number, total: number | null): void {
    this.#pageSize = pageSize;
    this.#total = total;
    this.#progress.report("comparing", 0, null, pageSize);
  }

  compared(pages: number): void {
    this.#compared += pages;
    if (this.#transferred === 0) this.#progress.report("comparing", this.#compared, null, this.#pageSize);
  }

  transferred(pages: number): void {
    this.#transferred += pages;
    this.#progress.report("transferring", this.#transferred, this.#total, this.#pageSize);
  }
}
