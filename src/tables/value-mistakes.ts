import { showValue } from "../config/show-value.js";
import { MAX_TIMER_MS } from "../scheduler/max-timer.js";

type Setting =
  | "intervalSeconds"
  | "syncIntervalSeconds"
  | "lagSeconds"
  | "batchSize"
  | "concurrency"
  | "runTimeoutMs"
  | "queryTimeoutMs"
  | "limit";

/** Lowest and highest value of every whole number that somebody may set, and its unit. */
const RANGES: Readonly<Record<Setting, readonly [min: number, max: number, unit: string]>> = {
  intervalSeconds: [1, Math.floor(MAX_TIMER_MS / 1_000), "seconds"],
  syncIntervalSeconds: [1, Math.floor(MAX_TIMER_MS / 1_000), "seconds"],
  lagSeconds: [0, 86_400, "seconds"],
  batchSize: [1, 100_000, "rows"],
  concurrency: [1, 100, "runs"],
  runTimeoutMs: [1, MAX_TIMER_MS, "milliseconds"],
  queryTimeoutMs: [1, MAX_TIMER_MS, "milliseconds"],
  limit: [1, 1_000, "runs"],
};

/** What is wrong with the value, or `null`; one that is not given is right. */
export function wholeNumberMistake(name: Setting, value: unknown): string | null {
  const [min, max, unit] = RANGES[name];
  if (value === undefined || (Number.isInteger(value) && (value as number) >= min && (value as number) <= max))
    return null;
  return `must be a whole number of ${unit} from ${min} to ${max}, got ${showValue(value)}`;
}
