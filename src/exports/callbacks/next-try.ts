const BASE_MS = 5_000;

/** The longest that a callback waits for its next try, a receiver's `Retry-After` included: an hour. In milliseconds. */
export const LONGEST_WAIT_MS: number = 3_600_000;

/** No try follows another sooner, whatever the dice say. */
const SHORTEST_WAIT_MS = 1_000;

/**
 * How long after try number `attempts` the next one comes, in milliseconds; `random` gives numbers from 0 to below 1. The first try (`attempts`
 * is 0) comes at once. Then exponential back-off with full jitter: a random delay of at least 1 s below a bound of 5 s that doubles with each try,
 * up to an hour. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function nextTryDelayMs(attempts: number, random: () => number): number {
  if (attempts <= 0) return 0;
  const boundMs = Math.min(LONGEST_WAIT_MS, BASE_MS * 2 ** Math.min(attempts - 1, 30));
  return SHORTEST_WAIT_MS + Math.floor(random() * (boundMs - SHORTEST_WAIT_MS));
}
