import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { atEnd } from "../support/at-end.js";
import { size } from "../support/size.js";
import { tempDir } from "../support/temp-dir.js";
import { deferred, waitFor } from "../support/wait.js";

describe("waitFor", () => {
  it("resolves with the first truthy value", async () => {
    let looks = 0;
    expect(await waitFor(() => (looks++ < 3 ? undefined : { looks }), { everyMs: 1 })).toEqual({ looks: 4 });
  });

  it("says what it waited for and what it saw last", async () => {
    await expect(waitFor(() => 0, { timeoutMs: 5, everyMs: 1, what: "a fact" })).rejects.toThrow(
      "Waited 5 ms in vain for: a fact\nlast value: 0",
    );
  });

  it("takes a throw for not yet, and keeps the last one as cause", async () => {
    const broken = async () => {
      throw new Error("boom");
    };
    const failure = waitFor(broken, { timeoutMs: 5, everyMs: 1 });
    await expect(failure).rejects.toThrow("last error: boom");
    await expect(failure).rejects.toMatchObject({ cause: { message: "boom" } });
  });

  it("goes on under fake timers", async () => {
    vi.useFakeTimers();
    try {
      let looks = 0;
      expect(await waitFor(() => looks++ > 2, { everyMs: 1 })).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("deferred", () => {
  it("settles from outside", async () => {
    const value = deferred<number>();
    expect(value.settled).toBe(false);
    value.resolve(1);
    expect(value.settled).toBe(true);
    expect(await value.promise).toBe(1);
    const failure = deferred();
    failure.reject(new Error("no"));
    await expect(failure.promise).rejects.toThrow("no");
  });
});

describe("size", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    ["", 20],
    ["ci", 100],
    ["soak", 1_000],
  ])("picks for STARFISH_TEST_SIZE=%j", (run, expected) => {
    vi.stubEnv("STARFISH_TEST_SIZE", run);
    expect(size({ test: 20, ci: 100, soak: 1_000 })).toBe(expected);
  });

  it("refuses a value it does not know", () => {
    vi.stubEnv("STARFISH_TEST_SIZE", "huge");
    expect(() => size({ test: 1 })).toThrow('"huge"');
  });
});

describe("atEnd and tempDir", () => {
  const order: string[] = [];
  let fromTest = "";
  let fromFile = "";
  beforeAll(() => {
    fromFile = tempDir();
  });
  // Registered here, so it runs before the file's own end.
  afterAll(() => {
    expect(existsSync(fromFile)).toBe(true);
  });

  it("makes an empty folder and registers clean-ups", () => {
    fromTest = tempDir();
    writeFileSync(join(fromTest, "file"), "x");
    atEnd(() => order.push("first"));
    atEnd(() => order.push("second"));
    expect(order).toEqual([]);
  });

  it("has cleaned up after the test before, last registered first, and keeps what beforeAll made", () => {
    expect(order).toEqual(["second", "first"]);
    expect(existsSync(fromTest)).toBe(false);
    expect(existsSync(fromFile)).toBe(true);
  });
});
