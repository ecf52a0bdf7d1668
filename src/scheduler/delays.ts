import { MAX_TIMER_MS } from "./max-timer.js";

export interface BackOffOptions {
  /** Upper bound of the first delay. Default 1 000. */
  readonly baseMs?: number;
  /** Upper bound that later delays grow to, doubling each time. Default 60 000. */
  readonly capMs?: number;
}

/** Share by which an interval varies, both ways, so that channels with one interval drift apart. */
const INTERVAL_JITTER = 0.1;

/** No retry comes sooner than this, whatever the dice say. */
const MIN_RETRY_MS = 100;

/**
 * Exponential back-off with full jitter: a random delay below an upper bound that doubles with each failure in a row.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backOffDelay(failures: number, options: BackOffOptions, random: () => number): number {
  const { baseMs = 1_000, capMs = 60_000 } = options;
  const bound = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.max(Math.min(MIN_RETRY_MS, bound), Math.round(random() * bound));
}

/**
 * Delay until the next scheduled run. The first one after a start lies anywhere in the second half of the interval: channels that
 * started together spread out at once.
 */
export function intervalDelay(intervalMs: number, first: boolean, random: () => number): number {
  const factor = first ? 0.5 + random() * 0.5 : 1 - INTERVAL_JITTER + random() * 2 * INTERVAL_JITTER;
  return Math.min(MAX_TIMER_MS, Math.max(1, Math.round(intervalMs * factor)));
}
