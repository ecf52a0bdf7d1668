import { setTimeout as sleep } from "node:timers/promises";

/** How long something may take that is to happen by itself. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 2;

/** Looks until it is so, or patience is at an end. Gives what was seen last, and how long it took in whole milliseconds. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  isSo: (seen: T) => boolean,
): Promise<{ readonly seen: T; readonly ms: number }> {
  const begun = performance.now();
  for (;;) {
    const seen = await look();
    const ms = Math.round(performance.now() - begun);
    if (isSo(seen) || ms > PATIENCE_MS) return { seen, ms };
    await sleep(LOOK_EVERY_MS);
  }
}
