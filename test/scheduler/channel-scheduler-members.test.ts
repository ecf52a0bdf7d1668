import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChannelScheduler } from "../../src/scheduler/channel-scheduler.js";
import type { Schedule } from "../../src/scheduler/schedule.js";
import { fakeChannel, NOTHING } from "../support/fake-channel.js";
import { SCHEDULED } from "../support/fake-scheduler.js";

const NONE: Schedule = { triggers: [] };

describe("ChannelScheduler, channels that come and go", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("runs an added channel once at once when started, then by its triggers", async () => {
    const scheduler = new ChannelScheduler([]);
    scheduler.start();
    const channel = fakeChannel("late");
    scheduler.add({ channel, schedule: SCHEDULED });
    await vi.advanceTimersByTimeAsync(0);
    expect(channel.runs.map((run) => run.context.reason)).toEqual(["start"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(channel.runs).toHaveLength(2);
    await scheduler.stop();
  });

  it("lets a channel that was added before the start wait for it, and one added after stop() stay stopped", async () => {
    const scheduler = new ChannelScheduler([]);
    const early = fakeChannel("early");
    scheduler.add({ channel: early, schedule: NONE });
    await vi.advanceTimersByTimeAsync(0);
    expect(early.runs).toHaveLength(0);
    scheduler.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(early.runs).toHaveLength(1);
    await scheduler.stop();
    const late = fakeChannel("late");
    scheduler.add({ channel: late, schedule: SCHEDULED });
    await expect(scheduler.syncNow("late")).rejects.toMatchObject({ code: "STOPPED" });
    expect(scheduler.status()[1]).toMatchObject({ name: "late", state: "stopped" });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(late.runs).toHaveLength(1);
    await scheduler.stop();
  });

  it("shares the limit of the group with added channels", async () => {
    const first = fakeChannel("first", { hold: true });
    const scheduler = new ChannelScheduler([{ channel: first, schedule: NONE, group: "source" }], { concurrency: 1 });
    scheduler.start();
    const second = fakeChannel("second");
    const elsewhere = fakeChannel("elsewhere");
    scheduler.add({ channel: second, schedule: NONE, group: "source" });
    scheduler.add({ channel: elsewhere, schedule: NONE, group: "another" });
    await vi.advanceTimersByTimeAsync(0);
    expect([second.runs.length, elsewhere.runs.length]).toEqual([0, 1]);
    await scheduler.remove("first");
    await vi.advanceTimersByTimeAsync(0);
    expect(second.runs).toHaveLength(1);
    await scheduler.stop();
  });

  it("ends the run of a removed channel, waits for it, closes the channel and frees the name", async () => {
    let written = false;
    const close = vi.fn(async () => {});
    const writer = fakeChannel("c", {
      close,
      sync: async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        written = true;
        return NOTHING;
      },
    });
    const scheduler = new ChannelScheduler([{ channel: writer, schedule: SCHEDULED }]);
    scheduler.start();
    await vi.advanceTimersByTimeAsync(0);
    const removed = Promise.all([scheduler.remove("c"), scheduler.remove("c")]).then(() => expect(written).toBe(true));
    expect(writer.runs[0]?.context.signal.aborted).toBe(true);
    await expect(scheduler.syncNow("c")).rejects.toMatchObject({ code: "STOPPED" });
    await vi.advanceTimersByTimeAsync(500);
    await removed;
    expect(close).toHaveBeenCalledOnce();
    expect(scheduler.status()).toEqual([]);
    await expect(scheduler.remove("c")).rejects.toMatchObject({ code: "UNKNOWN_COLLECTION" });
    const next = fakeChannel("c");
    scheduler.add({ channel: next, schedule: SCHEDULED });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(writer.runs).toHaveLength(1);
    expect(next.runs.length).toBeGreaterThan(1);
    await scheduler.stop();
  });

  it("refuses an added channel whose name is taken or whose schedule no timer can keep", async () => {
    const scheduler = new ChannelScheduler([{ channel: fakeChannel("c"), schedule: NONE }]);
    expect(() => scheduler.add({ channel: fakeChannel("c"), schedule: NONE })).toThrow('Two channels are named "c"');
    const never = { channel: fakeChannel("d"), schedule: { triggers: [], intervalMs: 0 } };
    expect(() => scheduler.add(never)).toThrow(/^d: intervalMs must be/);
    expect(scheduler.status()).toHaveLength(1);
  });
});
