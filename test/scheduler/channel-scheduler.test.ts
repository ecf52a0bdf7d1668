import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ReplicaError } from "../../src/errors.js";
import type { SyncOutcome } from "../../src/scheduler/channel.js";
import { ChannelScheduler } from "../../src/scheduler/channel-scheduler.js";
import type { Schedule } from "../../src/scheduler/schedule.js";
import { fakeChannel, NOTHING } from "../support/fake-channel.js";
import { failure, SCHEDULED, schedule } from "../support/fake-scheduler.js";

describe("ChannelScheduler", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("runs every channel once at start, whatever its triggers, and a second start does nothing", async () => {
    const channels = [[], ["on_pull"], ["scheduled"]].map((triggers, i) => ({
      channel: fakeChannel(`c${i}`),
      schedule: { triggers } as Schedule,
    }));
    const scheduler = new ChannelScheduler(channels);
    scheduler.start();
    scheduler.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(channels.map(({ channel }) => channel.runs.map((run) => run.context.reason))).toEqual([
      ["start"],
      ["start"],
      ["start"],
    ]);
    await scheduler.stop();
  });

  it("re-arms after each run, so that a slow channel never overlaps itself", async () => {
    const channel = fakeChannel("slow", { hold: true });
    const scheduler = schedule(channel);
    scheduler.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(channel.runs).toHaveLength(1);
    channel.runs[0]?.resolve(NOTHING);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(channel.runs).toHaveLength(2);
    expect(channel.active.most).toBe(1);
    await scheduler.stop();
  });

  it("spreads the first interval over its second half and varies later ones by a tenth", async () => {
    const random = vi.fn(() => 0);
    const channel = fakeChannel("jitter");
    const scheduler = schedule(channel, SCHEDULED, { random });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(499);
    expect(channel.runs).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(channel.runs).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(899);
    expect(channel.runs).toHaveLength(2);
    random.mockReturnValue(0.999);
    await vi.advanceTimersByTimeAsync(1);
    expect(channel.runs).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1_099);
    expect(channel.runs).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(channel.runs).toHaveLength(4);
    await scheduler.stop();
  });

  it("shares one run among all who ask while it is under way", async () => {
    const channel = fakeChannel("shared", { hold: true });
    const scheduler = schedule(channel, { triggers: ["on_pull"] });
    const asks = [scheduler.syncNow("shared"), scheduler.syncNow("shared"), scheduler.onPull("shared")];
    await vi.advanceTimersByTimeAsync(0);
    channel.runs[0]?.resolve({ changed: true, items: 1, bytes: 5 });
    expect(await asks[0]).toEqual({ changed: true, items: 1, bytes: 5 });
    await Promise.all(asks);
    expect(channel.runs).toHaveLength(1);
    await scheduler.stop();
  });

  it("gives who asks afresh a run that began after asking, one for all of them", async () => {
    const channel = fakeChannel("fresh", { hold: true });
    const scheduler = schedule(channel);
    const first = scheduler.syncNow("fresh");
    await vi.advanceTimersByTimeAsync(0);
    const fresh = [scheduler.syncNow("fresh", true), scheduler.syncNow("fresh", true)];
    channel.runs[0]?.resolve(NOTHING);
    await first;
    await vi.advanceTimersByTimeAsync(0);
    expect(channel.runs).toHaveLength(2);
    channel.runs[1]?.resolve({ changed: true, items: 2, bytes: 0 });
    expect(await Promise.all(fresh)).toEqual([
      { changed: true, items: 2, bytes: 0 },
      { changed: true, items: 2, bytes: 0 },
    ]);
    await scheduler.stop();
  });

  it("backs off exponentially with full jitter up to the cap, and is back in step after one success", async () => {
    let down = true;
    const channel = fakeChannel("flaky", {
      sync: async () => {
        if (down) throw failure;
        return NOTHING;
      },
    });
    const scheduler = schedule(channel, SCHEDULED, {
      random: () => 0.999_999,
      backOff: { baseMs: 1_000, capMs: 4_000 },
    });
    scheduler.start();
    const at: number[] = [];
    for (let time = 0; time < 20_000; time += 100) {
      await vi.advanceTimersByTimeAsync(time === 0 ? 0 : 100);
      if (at.length < channel.runs.length) at.push(time);
    }
    expect(at).toEqual([0, 1_000, 3_000, 7_000, 11_000, 15_000, 19_000]);
    expect(scheduler.status()[0]).toMatchObject({ state: "failing", consecutiveFailures: 7 });
    down = false;
    await scheduler.syncNow("flaky");
    expect(scheduler.status()[0]).toMatchObject({ state: "idle", consecutiveFailures: 0 });
    const runs = channel.runs.length;
    await vi.advanceTimersByTimeAsync(1_100);
    expect(channel.runs).toHaveLength(runs + 1);
    await scheduler.stop();
  });

  it("retries no sooner than the source wishes", async () => {
    const channel = fakeChannel("busy", {
      sync: async () => {
        throw new ReplicaError("PRIMARY_UNAVAILABLE", "429", { retryable: true, retryAfterMs: 30_000 });
      },
    });
    const scheduler = schedule(channel, { triggers: ["scheduled", "on_pull"], intervalMs: 1_000 });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(29_000);
    await scheduler.onPull("busy");
    expect(channel.runs).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(channel.runs).toHaveLength(2);
    await scheduler.stop();
  });

  it("counts the cool-down from the last completed run, changed or not, failed or not", async () => {
    const outcomes: Array<SyncOutcome | Error> = [NOTHING, { ...NOTHING, changed: true }, failure];
    const channel = fakeChannel("cool", {
      sync: async (n) => {
        const outcome = outcomes[n % 3];
        if (outcome instanceof Error) throw outcome;
        return outcome ?? NOTHING;
      },
    });
    const scheduler = schedule(
      channel,
      { triggers: ["on_pull"], onPullMinIntervalMs: 5_000 },
      { backOff: { baseMs: 1, capMs: 1 } },
    );
    for (let round = 1; round <= 3; round++) {
      await scheduler.onPull("cool");
      await scheduler.onPull("cool");
      await vi.advanceTimersByTimeAsync(4_999);
      await scheduler.onPull("cool");
      expect(channel.runs).toHaveLength(round);
      await vi.advanceTimersByTimeAsync(1);
    }
    await scheduler.onPull("cool");
    expect(channel.runs).toHaveLength(4);
    await scheduler.stop();
  });

  it("lets a read wait no longer than onPullMaxWaitMs while the run goes on", async () => {
    const channel = fakeChannel("hung", { hold: true });
    const scheduler = schedule(channel, { triggers: ["on_pull"], onPullMaxWaitMs: 2_000 });
    let answered = false;
    const read = scheduler.onPull("hung").then(() => {
      answered = true;
    });
    await vi.advanceTimersByTimeAsync(1_999);
    expect(answered).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await read;
    expect(channel.active.now).toBe(1);
    await scheduler.stop();
  });

  it("ends a run at its deadline and says so", async () => {
    const channel = fakeChannel("endless", { hold: true });
    const onError = vi.fn();
    const scheduler = schedule(channel, { ...SCHEDULED, runTimeoutMs: 3_000 }, { onError });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(onError).toHaveBeenCalledExactlyOnceWith("endless", expect.objectContaining({ code: "RUN_TIMEOUT" }));
    await scheduler.stop();
  });

  it("lets a back-off grow across runs that tried nothing", async () => {
    const channel = fakeChannel("outbox", {
      sync: async (n) => {
        if (n % 2 === 1) return { ...NOTHING, idle: true };
        throw failure;
      },
    });
    const backOff = { baseMs: 1_000, capMs: 60_000 };
    const scheduler = schedule(channel, { triggers: [] }, { random: () => 0.999_999, backOff });
    scheduler.start();
    for (let second = 0; second < 60; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      // What a pull that succeeded does.
      scheduler.nudge("outbox");
    }
    expect(channel.runs.length).toBeLessThan(14);
    expect(scheduler.status()[0]?.consecutiveFailures).toBeGreaterThan(4);
    await scheduler.stop();
  });

  it("runs again at once while there is more, and tells who asked the sum", async () => {
    const channel = fakeChannel("table", {
      sync: async (n) => ({ changed: n === 0, items: 10, bytes: 1, more: n < 4 }),
    });
    const scheduler = schedule(channel);
    expect(await scheduler.syncNow("table")).toEqual({ changed: true, items: 50, bytes: 5 });
    expect(channel.runs).toHaveLength(5);
    await scheduler.stop();
  });

  it("bounds runs at once per group, lets who waits go first, and keeps groups apart", async () => {
    const sick = Array.from({ length: 10 }, (_, i) => fakeChannel(`sick${i}`, { hold: true }));
    const well = fakeChannel("well");
    const urgent = fakeChannel("urgent", { hold: true });
    const none: Schedule = { triggers: [] };
    const scheduler = new ChannelScheduler(
      [
        ...sick.map((channel) => ({ channel, schedule: none, group: "sick" })),
        { channel: urgent, schedule: none, group: "sick" },
        { channel: well, schedule: none, group: "well" },
      ],
      { concurrency: 3 },
    );
    scheduler.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(sick.map((channel) => channel.runs.length)).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(well.runs).toHaveLength(1);
    scheduler.syncNow("urgent").catch(() => {});
    sick[1]?.runs[0]?.resolve(NOTHING);
    await vi.advanceTimersByTimeAsync(0);
    expect(urgent.runs).toHaveLength(1);
    expect(sick[3]?.runs).toHaveLength(0);
    await scheduler.stop();
  });
});
