/** How far a clock may be off before it counts as wrong, in milliseconds. The protocol itself allows five minutes. */
const MAX_DRIFT_MS = 60_000;

/** The caller's clock, and what is known about how wrong it is. */
export interface CorrectedClock {
  /** Unix milliseconds, corrected. Throws a `TypeError` when the caller's clock answers anything but Unix seconds. */
  nowMs(): number;
  /**
   * Takes the `Date` header (RFC 9110, section 6.6.1) of an answer that just came in. Sets the clock by it when the two
   * are more than a minute apart, and answers whether it did. A header that is missing or cannot be read changes
   * nothing.
   */
  correct(dateHeader: string | null): boolean;
  /** Whether `timestampMs` is more than a minute off from that header. */
  disagrees(dateHeader: string | null, timestampMs: number): boolean;
}

/** Seconds that would lie beyond the year 5000: a clock that counts milliseconds. */
const TOO_LARGE_SEC = 1e11;

/** A clock that can be set right. `clock` answers Unix seconds, fractions allowed; the system's unless given. */
export function createCorrectedClock(clock?: () => number): CorrectedClock {
  let offsetMs = 0;

  function nowMs(): number {
    if (clock === undefined) return Date.now() + offsetMs;
    const seconds: unknown = clock();
    if (typeof seconds !== "number" || !Number.isFinite(seconds) || Math.abs(seconds) >= TOO_LARGE_SEC) {
      throw new TypeError(
        `\`clock\` must return Unix seconds (a number, not milliseconds); it returned ${String(seconds)}`,
      );
    }
    return Math.round(seconds * 1000) + offsetMs;
  }

  function driftMs(dateHeader: string | null, timestampMs: number): number {
    const drift = Date.parse(dateHeader ?? "") - timestampMs;
    return Math.abs(drift) > MAX_DRIFT_MS ? drift : 0;
  }

  return {
    nowMs,
    correct(dateHeader) {
      const drift = driftMs(dateHeader, nowMs());
      offsetMs += drift;
      return drift !== 0;
    },
    disagrees: (dateHeader, timestampMs) => driftMs(dateHeader, timestampMs) !== 0,
  };
}
