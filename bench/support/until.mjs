import { setTimeout as pause } from "node:timers/promises";

/** Looks every `everyMs` milliseconds until the condition holds. Rejects after 60 s. */
export async function until(what, condition, everyMs = 5) {
  const deadline = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within 60 s`);
    await pause(everyMs);
  }
}
