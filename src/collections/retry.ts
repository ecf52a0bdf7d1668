import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";
import { ReplicaError, type ReplicaErrorCode } from "../errors.js";

/** Tries after the first one. What still fails then is the scheduler's to repeat, with its longer back-off. */
const RETRIES = 2;
const FIRST_DELAY_MS = 200;

/** A wish of the primary (`Retry-After`) that is longer than this ends the run; the scheduler keeps to the rest of it. */
const LONGEST_WAIT_MS = 2_000;

/** A request that timed out has had its time already. */
const WORTH_REPEATING: ReadonlySet<ReplicaErrorCode> = new Set(["PRIMARY_UNREACHABLE", "PRIMARY_UNAVAILABLE"]);

/**
 * Repeats a request that may be repeated, with a growing, random pause, and no sooner than the primary wishes.
 * @throws the last try's error, or the signal's reason
 */
export async function withRetries<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return await pRetry(request, {
    retries: RETRIES,
    minTimeout: FIRST_DELAY_MS,
    randomize: true,
    signal,
    shouldRetry: ({ error }) =>
      error instanceof ReplicaError && WORTH_REPEATING.has(error.code) && (error.retryAfterMs ?? 0) <= LONGEST_WAIT_MS,
    onFailedAttempt: async ({ error, retriesLeft }) => {
      const waitMs = error instanceof ReplicaError ? (error.retryAfterMs ?? 0) : 0;
      if (retriesLeft > 0 && waitMs > 0 && waitMs <= LONGEST_WAIT_MS) await sleep(waitMs, undefined, { signal });
    },
  });
}
