import { setTimeout as sleep } from "node:timers/promises";

/**
 * Does `work` at once and then again and again, with a pause of `pauseMs` in between: it never overlaps itself. Failures go to `onError`
 * and end nothing.
 * @returns ends it, and resolves once the work under way is done
 */
export function repeat(
  pauseMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const ended = (async () => {
    while (!signal.aborted) {
      await work().catch((error: unknown) => signal.aborted || onError(error));
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  })();
  return () => {
    ending.abort();
    return ended;
  };
}
