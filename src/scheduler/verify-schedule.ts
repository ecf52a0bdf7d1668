import { MAX_TIMER_MS } from "./max-timer.js";
import type { Schedule } from "./schedule.js";

/**
 * @throws TypeError for a time that is no whole number of milliseconds, or longer than a timer can be
 */
export function verifySchedule(name: string, schedule: Schedule): void {
  const least = { intervalMs: 1, onPullMinIntervalMs: 0, onPullMaxWaitMs: 0, runTimeoutMs: 1 };
  for (const [key, min] of Object.entries(least)) {
    const value = schedule[key as keyof typeof least];
    if (value === undefined || (Number.isInteger(value) && value >= min && value <= MAX_TIMER_MS)) continue;
    throw new TypeError(
      `${name}: ${key} must be a whole number of milliseconds from ${min} to ${MAX_TIMER_MS}, got ${value}`,
    );
  }
}
