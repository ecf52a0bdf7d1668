import { ReplicaError } from "../../errors.js";
import type { Frame } from "../protocol/frame.js";
import { type PageRange, PageSet } from "./page-set.js";

/** Of pages that were asked for and have not come. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** Which pages of a push are known to be needed, were asked for, and have come. Memory stays the same whatever is asked for. */
export class PageRequests {
  /** Pages that need not be asked for any more: equal, wanted, or asked for. */
  readonly #settled = new PageSet();
  readonly #wanted = new PageSet();
  readonly #outstanding = new Set<number>();
  readonly #pageCount: number;
  /** Once all hashes are here: pages before it are settled. */
  #restFrom: number | null = null;

  constructor(pageCount: number) {
    this.#pageCount = pageCount;
  }

  /** Whether every page is equal or has come; never before `allNamed`. */
  get isDone(): boolean {
    return this.#wanted.size === 0 && this.#outstanding.size === 0 && this.#restFrom !== null && this.#rest() === null;
  }

  isSettled(pageNo: number): boolean {
    return this.#settled.has(pageNo);
  }

  equal(range: PageRange): void {
    this.#settled.addRange(range);
  }

  /** These are needed, unless they are settled. */
  want({ startPage, endPage }: PageRange): void {
    let from = startPage;
    for (;;) {
      const range = this.#settled.missing(from, endPage);
      if (range === null) break;
      this.#wanted.addRange(range);
      from = range.endPage + 1;
    }
    this.#settled.addRange({ startPage, endPage });
  }

  /** No more hashes come: what is not settled is needed. */
  allNamed(): void {
    this.#restFrom ??= 1;
  }

  /** Whether some page that is not equal is known. */
  get needsAny(): boolean {
    return this.#wanted.size > 0 || this.#outstanding.size > 0 || (this.#restFrom !== null && this.#rest() !== null);
  }

  /** What is to be asked for now, so that the window is full again; mostly nothing as long as half of it is out. */
  next(pageSize: number, single: boolean): readonly Frame[] {
    const window = Math.max(2, Math.floor(WINDOW_BYTES / pageSize));
    if (this.#outstanding.size > window / 2) return [];
    const pageNumbers: number[] = [];
    while (this.#outstanding.size < window) {
      const range = this.#take(window - this.#outstanding.size);
      if (range === null) break;
      for (let pageNo = range.startPage; pageNo <= range.endPage; pageNo += 1) {
        this.#outstanding.add(pageNo);
        pageNumbers.push(pageNo);
      }
    }
    if (pageNumbers.length === 0) return [];
    if (!single) return [{ kind: "request_pages", pageNumbers }];
    return pageNumbers.map((pageNo) => ({ kind: "request_page", pageNo }));
  }

  /** @throws `PAGE_PROTOCOL` for a page that was not asked for, or has come already */
  came(pageNo: number): void {
    if (this.#outstanding.delete(pageNo)) return;
    throw new ReplicaError("PAGE_PROTOCOL", `Page ${pageNo} was sent, and was not asked for, or has come already.`);
  }

  #take(max: number): PageRange | null {
    const wanted = this.#wanted.take(max);
    if (wanted !== null) return wanted;
    const rest = this.#rest();
    if (rest === null) return null;
    const range = { startPage: rest.startPage, endPage: Math.min(rest.endPage, rest.startPage + max - 1) };
    this.#restFrom = range.endPage + 1;
    return range;
  }

  #rest(): PageRange | null {
    if (this.#restFrom === null) return null;
    const rest = this.#settled.missing(this.#restFrom, this.#pageCount);
    if (rest === null) this.#restFrom = this.#pageCount + 1;
    return rest;
  }
}
