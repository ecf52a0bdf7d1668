import { setTimeout as delay } from "node:timers/promises";
import { CliError } from "../../cli-error.js";

/** So often in a row nothing may come of it. */
const MAX_FAILURES = 7;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

interface KeepTryingOptions {
  /** Grows with what has been reached: a try that reached something is the first of a new row. */
  readonly mark: () => number;
  /** Told before each pause. */
  readonly onRetry: (error: CliError, delayMs: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Tries again what a later try may mend, with growing pauses or those that the server asks for, for about half a minute in which nothing comes.
 * @throws what the last try failed with
 */
export async function keepTrying<T>(
  attempt: () => Promise<T>,
  { mark, onRetry, signal }: KeepTryingOptions,
): Promise<T> {
  for (let failures = 0; ; ) {
    const before = mark();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      failures = mark() > before ? 1 : failures + 1;
      if (!(error instanceof CliError) || !error.retryable || failures >= MAX_FAILURES) throw error;
      const backOff = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
      const delayMs = Math.round(error.retryAfterMs ?? backOff * (0.75 + Math.random() / 2));
      onRetry(error, delayMs);
      await delay(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
