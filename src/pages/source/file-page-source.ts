import type { PageSource } from "./page-source.js";
import { readPages } from "./read-pages.js";

/** Pages of a file that does not change until `close`. */
export class FilePageSource implements PageSource {
  readonly pageSize: number;
  readonly pageCount: number;
  readonly #fd: number;
  readonly #onClose: () => void;
  #buffer: Buffer = Buffer.alloc(0);
  #isClosed = false;

  /** @param onClose closes the file too */
  constructor(fd: number, pageSize: number, pageCount: number, onClose: () => void) {
    this.#fd = fd;
    this.pageSize = pageSize;
    this.pageCount = pageCount;
    this.#onClose = onClose;
  }

  read(startPage: number, count: number): Uint8Array {
    if (this.#isClosed) throw new TypeError("This page source is closed");
    checkPages(this, startPage, count);
    const bytes = count * this.pageSize;
    if (this.#buffer.length < bytes) this.#buffer = Buffer.allocUnsafeSlow(bytes);
    const into = this.#buffer.subarray(0, bytes);
    this.fill(startPage, into);
    return into;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
  }

  /** Fills whole pages. */
  protected fill(startPage: number, into: Buffer): void {
    readPages(this.#fd, this.pageSize, startPage, into);
  }
}

function checkPages({ pageCount }: PageSource, startPage: number, count: number): void {
  const isRange = Number.isSafeInteger(startPage) && Number.isSafeInteger(count) && startPage >= 1 && count >= 0;
  if (isRange && startPage + count - 1 <= pageCount) return;
  throw new RangeError(`Pages ${startPage} to ${startPage + count - 1} of 1 to ${pageCount}`);
}
