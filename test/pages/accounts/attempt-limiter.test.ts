import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AttemptLimiter, createAttemptLimiter } from "../../../src/pages/accounts/attempt-limiter.js";

const EMAIL = "ann@example.com";

/** How long the refusal asks to wait; 0 where there was none. */
async function wait(attempt: Promise<unknown>): Promise<number> {
  try {
    await attempt;
    return 0;
  } catch (error) {
    expect(error).toMatchObject({ code: "RATE_LIMITED", retryable: true, retryAfterMs: expect.any(Number) });
    return (error as { retryAfterMs: number }).retryAfterMs;
  }
}

/** From an address that nobody has used yet. */
let addresses = 0;
function newAddress(): string {
  addresses += 1;
  return `10.0.${addresses >> 8}.${addresses & 255}`;
}

async function fail(limiter: AttemptLimiter, times: number, email = EMAIL): Promise<void> {
  for (let n = 0; n < times; n += 1) await limiter.beginLogin(newAddress(), email);
}

describe("createAttemptLimiter", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("lets an address try ten times a minute, whatever it tries, and says when it may again", async () => {
    const limiter = createAttemptLimiter();
    for (let n = 0; n < 5; n += 1) {
      await limiter.admit("192.0.2.1");
      (await limiter.beginLogin("192.0.2.1", `user${n}@example.com`)).succeed();
    }
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await wait(limiter.admit("192.0.2.1"))).toBe(40_000);
    expect(await wait(limiter.beginLogin("192.0.2.1", "other@example.com"))).toBe(40_000);
    await limiter.admit("192.0.2.2");
    await vi.advanceTimersByTimeAsync(40_000);
    await limiter.admit("192.0.2.1");
  });

  it("counts forms of one address together, and a network of IPv6 that one customer has", async () => {
    const limiter = createAttemptLimiter({ perMinute: 1 });
    await limiter.admit("::ffff:192.0.2.1");
    expect(await wait(limiter.admit("192.0.2.1"))).toBeGreaterThan(0);
    await limiter.admit("2001:db8:0:1::1");
    expect(await wait(limiter.admit("2001:0DB8::1:ffff:ffff:ffff:ffff"))).toBeGreaterThan(0);
    await limiter.admit("2001:db8:0:2::1");
    // What the host names them by may be anything.
    await limiter.admit("customer 7");
    expect(await wait(limiter.admit("customer 7"))).toBeGreaterThan(0);
    await limiter.admit("");
  });

  it("pauses an email after five failures, twice as long each time, a minute at most, from wherever they come", async () => {
    const limiter = createAttemptLimiter();
    await fail(limiter, 5);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60]) {
      expect(await wait(limiter.beginLogin(newAddress(), " ANN@example.com "))).toBe(seconds * 1_000);
      // Trying in a pause neither helps nor makes it longer.
      await vi.advanceTimersByTimeAsync(seconds * 1_000 - 1);
      expect(await wait(limiter.beginLogin(newAddress(), EMAIL))).toBe(1);
      await limiter.beginLogin(newAddress(), "bob@example.com").then((attempt) => attempt.succeed());
      await vi.advanceTimersByTimeAsync(1);
      await fail(limiter, 1);
    }
    await vi.advanceTimersByTimeAsync(3_600_000);
    await fail(limiter, 5);
    expect(await wait(limiter.beginLogin(newAddress(), EMAIL))).toBe(1_000);
  });

  it("lets no more through when they all come at once", async () => {
    const limiter = createAttemptLimiter();
    const waits = await Promise.all(Array.from({ length: 50 }, () => wait(limiter.beginLogin(newAddress(), EMAIL))));
    expect(waits.filter((ms) => ms === 0)).toHaveLength(5);
    const other = await Promise.all(Array.from({ length: 50 }, () => wait(limiter.admit("192.0.2.1"))));
    expect(other.filter((ms) => ms === 0)).toHaveLength(10);
  });

  it("forgets the failures of whoever logs in, and what was not about the password", async () => {
    const limiter = createAttemptLimiter();
    await fail(limiter, 4);
    (await limiter.beginLogin(newAddress(), EMAIL)).succeed();
    await fail(limiter, 4);
    for (let n = 0; n < 20; n += 1) (await limiter.beginLogin(newAddress(), EMAIL)).undo();
    await fail(limiter, 1);
    expect(await wait(limiter.beginLogin(newAddress(), EMAIL))).toBe(1_000);
  });

  it("does not let others' failures keep a user out at an address where they have logged in before", async () => {
    const limiter = createAttemptLimiter();
    (await limiter.beginLogin("192.0.2.7", EMAIL)).succeed();
    await fail(limiter, 5);
    expect(await wait(limiter.beginLogin(newAddress(), EMAIL))).toBe(1_000);
    (await limiter.beginLogin("192.0.2.7", EMAIL)).succeed();
    // That is no way for others to begin anew, and no free pass for guessing from there.
    expect(await wait(limiter.beginLogin(newAddress(), EMAIL))).toBe(1_000);
    for (let n = 0; n < 5; n += 1) await limiter.beginLogin("192.0.2.7", EMAIL);
    expect(await wait(limiter.beginLogin("192.0.2.7", EMAIL))).toBe(1_000);
  });

  it("keeps no timer that holds the process, and bounds what it remembers", async () => {
    vi.useRealTimers();
    const limiter = createAttemptLimiter();
    for (let n = 0; n < 100; n += 1) await wait(limiter.beginLogin(newAddress(), `user${n}@example.com`));
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length).toBeLessThan(20);
  });
});
