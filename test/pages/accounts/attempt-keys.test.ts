import { describe, expect, it } from "vitest";
import { AttemptKeys } from "../../../src/pages/accounts/attempt-keys.js";
import { LatestNames } from "../../../src/pages/accounts/latest-names.js";

describe("AttemptKeys", () => {
  it("has a bounded number of keys, however many names come, and spreads them", () => {
    const keys = new AttemptKeys(64);
    const seen = new Set<string>();
    for (let n = 0; n < 2_000; n += 1) seen.add(keys.address(`name ${n}`));
    expect(seen.size).toBe(64);
    const many = new AttemptKeys();
    const few = new Set(Array.from({ length: 100 }, (_, n) => many.address(`name ${n}`)));
    expect(few.size).toBeGreaterThan(95);
  });

  it("gives nobody a way to foresee who shares a key", () => {
    const names = Array.from({ length: 50 }, (_, n) => `name ${n}`);
    const [one, other] = [new AttemptKeys(), new AttemptKeys()].map((keys) => names.map((name) => keys.address(name)));
    expect(one).not.toEqual(other);
  });
});

describe("LatestNames", () => {
  it("forgets the one that was seen longest ago", () => {
    const names = new LatestNames(2);
    for (const name of ["a", "b", "a", "c"]) names.add(name);
    expect(["a", "b", "c"].map((name) => names.has(name))).toEqual([true, false, true]);
  });
});
