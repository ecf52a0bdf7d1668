import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { eitherAbort } from "../../src/threads/either-abort.js";

describe("eitherAbort", () => {
  it("aborts as the first of its signals does, before or after it was made", () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const { signal } = eitherAbort(one.signal, undefined, other.signal);
    expect(signal.aborted).toBe(false);
    other.abort("enough");
    one.abort("too late");
    expect(signal.reason).toBe("enough");
    expect(eitherAbort(AbortSignal.abort("before")).signal.reason).toBe("before");
  });

  it("leaves nothing in signals that outlive the work", () => {
    const long = new AbortController();
    const { signal, release } = eitherAbort(long.signal);
    release();
    expect(getEventListeners(long.signal, "abort")).toEqual([]);
    long.abort();
    expect(signal.aborted).toBe(false);
  });
});
