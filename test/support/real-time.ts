// Taken at import, before a test can install fake timers: the support servers must go on when the code under test has its clock stopped.
const { setTimeout: startTimer, clearTimeout: cancelTimer, setImmediate: afterPoll } = globalThis;
const now = performance.now.bind(performance);

/** Milliseconds of a monotonic clock that `vi.useFakeTimers()` does not touch. */
export function realNow(): number {
  return now();
}

/** Resolves after `ms` real milliseconds, or at once when `signal` aborts. Never rejects. */
export function realDelay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = () => {
      cancelTimer(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = startTimer(finish, ms);
    signal?.addEventListener("abort", finish);
  });
}

/** Resolves when this process has had the chance to handle everything that has arrived for it. */
export async function realTurn(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise<void>((resolve) => afterPoll(resolve));
}
