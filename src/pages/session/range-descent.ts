import { ReplicaError } from "../../errors.js";
import type { PageRange } from "./page-set.js";

const FAN_OUT = 16;
/** A range of so many pages that differs is looked at page by page. */
const LEAF_PAGES = 16;
const MAX_UNANSWERED = 64;

/** Which ranges a client of an extended session sends the combined hash of: all pages first, then parts of those that differ. Lowest pages first. */
export class RangeDescent {
  /** A stack: so it stays as small as the descent is deep, times what is unanswered. */
  readonly #waiting: PageRange[] = [];
  readonly #unanswered: PageRange[] = [];

  /** @param lastPage 0 where there is nothing to compare */
  constructor(lastPage: number) {
    if (lastPage > 0) this.#waiting.push({ startPage: 1, endPage: lastPage });
  }

  /** Whether everything was sent and answered. */
  get isDone(): boolean {
    return this.#waiting.length === 0 && this.#unanswered.length === 0;
  }

  /** What is to be sent now. */
  next(): readonly PageRange[] {
    const ranges: PageRange[] = [];
    while (this.#unanswered.length < MAX_UNANSWERED) {
      const range = this.#waiting.pop();
      if (range === undefined) break;
      this.#unanswered.push(range);
      ranges.push(range);
    }
    return ranges;
  }

  /**
   * The peer's answer to the oldest range that has none: `[]`, `[start]` or `[start, end]`.
   * @returns pages to be looked at one by one, `null` where there are none
   * @throws `PAGE_PROTOCOL` where it answers nothing that was asked
   */
  answered(pageNumbers: readonly number[]): PageRange | null {
    const range = this.#unanswered.shift();
    if (range === undefined) throw new ReplicaError("PAGE_PROTOCOL", "A range was answered that nobody asked about.");
    const [startPage = range.startPage, endPage = range.endPage] = pageNumbers;
    if (startPage !== range.startPage || endPage !== range.endPage || pageNumbers.length > 2) {
      const asked = `${range.startPage} to ${range.endPage}`;
      throw new ReplicaError("PAGE_PROTOCOL", `The answer to the pages ${asked} is about others, or out of order.`);
    }
    const isDifferent = pageNumbers.length === 1;
    if (!isDifferent) return null;
    if (endPage - startPage < LEAF_PAGES) return range;
    this.#divide(range);
    return null;
  }

  #divide({ startPage, endPage }: PageRange): void {
    const size = Math.ceil((endPage - startPage + 1) / FAN_OUT);
    const parts: PageRange[] = [];
    for (let start = startPage; start <= endPage; start += size) {
      parts.push({ startPage: start, endPage: Math.min(start + size - 1, endPage) });
    }
    this.#waiting.push(...parts.reverse());
  }
}
