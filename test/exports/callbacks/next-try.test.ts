import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LONGEST_WAIT_MS, nextTryDelayMs } from "../../../src/exports/callbacks/next-try.js";
import { MAX_TIMER_MS } from "../../../src/scheduler/max-timer.js";

const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("nextTryDelayMs", () => {
  it("is nothing before the first try", () => {
    fc.assert(fc.property(dice, (roll) => nextTryDelayMs(0, () => roll) === 0));
  });

  it("lies from 1 s to a bound of 5 s that doubles up to an hour, after any number of tries", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), dice, (attempts, roll) => {
        const delay = nextTryDelayMs(attempts, () => roll);
        expect(Number.isSafeInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(1_000);
        expect(delay).toBeLessThanOrEqual(Math.min(3_600_000, 5_000 * 2 ** (attempts - 1)));
        expect(delay).toBeLessThan(MAX_TIMER_MS);
      }),
    );
  });

  it("grows with the dice and with the tries", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), dice, dice, (attempts, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(nextTryDelayMs(attempts, () => low)).toBeLessThanOrEqual(nextTryDelayMs(attempts, () => high));
        expect(nextTryDelayMs(attempts, () => low)).toBeLessThanOrEqual(nextTryDelayMs(attempts + 1, () => low));
      }),
    );
  });

  it("uses the whole room below the bound", () => {
    const almost = 1 - Number.EPSILON;
    const bounds = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600].map((seconds) => seconds * 1_000);
    expect(bounds.map((_, index) => nextTryDelayMs(index + 1, () => 0))).toEqual(bounds.map(() => 1_000));
    bounds.forEach((bound, index) => {
      expect(bound - nextTryDelayMs(index + 1, () => almost)).toBeLessThanOrEqual(1);
    });
    expect(LONGEST_WAIT_MS).toBe(3_600_000);
  });
});
