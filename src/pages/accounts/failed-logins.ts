import RateLimiterMemory from "rate-limiter-flexible/lib/RateLimiterMemory.js";

/** Failures are forgotten when there was none for so long. */
const FORGET_SECONDS = 3_600;

/** Counts failures, each under some key: from the `free`th on a pause follows each, of a second first, then twice as long as the last. */
export class FailedLogins {
  readonly #free: number;
  readonly #longestPauseMs: number;
  readonly #failures = new RateLimiterMemory({ points: 1, duration: FORGET_SECONDS });
  readonly #pauses = new RateLimiterMemory({ points: 1, duration: 1 });
  #last: Promise<unknown> = Promise.resolve();

  constructor(free: number, longestPauseMs: number) {
    this.#free = free;
    this.#longestPauseMs = longestPauseMs;
  }

  /**
   * Counts a failure before it is known to be one, so that many at once are no way around.
   * @returns 0, or how long the pause still lasts, in milliseconds; then nothing was counted
   */
  begin(key: string): Promise<number> {
    return this.#next(() => this.#begin(key));
  }

  /** Forgets all failures under this key. */
  forget(key: string): void {
    void this.#next(() => this.#set(key, 0));
  }

  /** Takes the last one back, and its pause. */
  undo(key: string): void {
    void this.#next(async () => this.#set(key, (await this.#count(key)) - 1));
  }

  /** One after the other, since each looks first and writes then. */
  #next<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#last.then(step);
    this.#last = done;
    return done;
  }

  async #begin(key: string): Promise<number> {
    const pauseMs = (await this.#pauses.get(key))?.msBeforeNext ?? 0;
    if (pauseMs > 0) return pauseMs;
    const count = (await this.#count(key)) + 1;
    await this.#set(key, count);
    if (count >= this.#free) {
      const nextMs = Math.min(this.#longestPauseMs, 1_000 * 2 ** (count - this.#free));
      await this.#pauses.set(key, 1, nextMs / 1_000);
    }
    return 0;
  }

  async #count(key: string): Promise<number> {
    return (await this.#failures.get(key))?.consumedPoints ?? 0;
  }

  /** Ends the pause too. */
  async #set(key: string, count: number): Promise<void> {
    await this.#pauses.delete(key);
    if (count <= 0) await this.#failures.delete(key);
    else await this.#failures.set(key, count, FORGET_SECONDS);
  }
}
