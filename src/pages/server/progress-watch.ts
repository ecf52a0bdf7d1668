import { performance } from "node:perf_hooks";

/** What arrives of a frame that is not whole yet counts from so many bytes on: else a byte now and then would hold a sync for ever. */
const PROGRESS_BYTES = 64 * 1024;

/** Looks whether a peer does anything. Our own work is no fault of the peer: while it lasts the clock stands. */
export class ProgressWatch {
  readonly #idleMs: number;
  readonly #bytesRead: () => number;
  readonly #timer: NodeJS.Timeout;
  #since: number;
  #readThen = 0;
  #working = 0;

  /**
   * @param bytesRead bytes that have come over the connection so far
   * @param onIdle called again and again until `stop`
   */
  constructor(idleMs: number, bytesRead: () => number, onIdle: () => void) {
    this.#idleMs = idleMs;
    this.#bytesRead = bytesRead;
    this.#since = performance.now();
    this.#timer = setInterval(() => this.#look(onIdle), Math.max(5, idleMs / 8));
  }

  /** A whole frame came, or was taken. */
  touch(): void {
    this.#since = performance.now();
    this.#readThen = this.#bytesRead();
  }

  async during<T>(work: Promise<T>): Promise<T> {
    this.#working += 1;
    try {
      return await work;
    } finally {
      this.#working -= 1;
      this.touch();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(onIdle: () => void): void {
    if (this.#working > 0 || this.#bytesRead() - this.#readThen >= PROGRESS_BYTES) this.touch();
    else if (performance.now() - this.#since >= this.#idleMs) onIdle();
  }
}
