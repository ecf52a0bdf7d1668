import { channel as diagnosticsChannel } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChannelScheduler } from "../../src/scheduler/channel-scheduler.js";
import { SYNC_EVENTS, type SyncEvent } from "../../src/scheduler/sync-events.js";
import { fakeChannel, NOTHING } from "../support/fake-channel.js";
import { failure, SCHEDULED, schedule } from "../support/fake-scheduler.js";

describe("ChannelScheduler, from start to stop", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("leaves nothing behind after stop: runs are aborted and awaited, reads released, and nothing begins any more", async () => {
    const channel = fakeChannel("c", { hold: true });
    const scheduler = schedule(channel, { triggers: ["scheduled", "on_pull"], intervalMs: 10 });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(0);
    const read = scheduler.onPull("c");
    const asked = scheduler.syncNow("c", true);
    asked.catch(() => {});
    await scheduler.stop();
    await read;
    expect(channel.active.now).toBe(0);
    await expect(asked).rejects.toMatchObject({ code: "STOPPED" });
    await expect(scheduler.syncNow("c")).rejects.toMatchObject({ code: "STOPPED" });
    await expect(scheduler.syncAll()).rejects.toMatchObject({ code: "STOPPED" });
    await scheduler.onPull("c");
    scheduler.wake("c");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(channel.runs).toHaveLength(1);
    expect(scheduler.status()[0]).toMatchObject({ state: "stopped", nextRunAt: null, consecutiveFailures: 0 });
  });

  it("can be started again after stop", async () => {
    const channel = fakeChannel("c");
    const scheduler = schedule(channel);
    scheduler.start();
    await scheduler.stop();
    scheduler.start();
    await vi.advanceTimersByTimeAsync(800);
    expect(channel.runs.map((run) => run.context.reason)).toEqual(["start", "start", "scheduled"]);
    await scheduler.stop();
  });

  it("waits for a channel that ends its write before it heeds the abort", async () => {
    let written = false;
    const channel = fakeChannel("writer", {
      sync: async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        written = true;
        return NOTHING;
      },
    });
    const scheduler = schedule(channel);
    scheduler.start();
    await vi.advanceTimersByTimeAsync(0);
    const stopped = scheduler.stop().then(() => expect(written).toBe(true));
    await vi.advanceTimersByTimeAsync(500);
    await stopped;
  });

  it("reports a failure once: to who asked by name, else to onError", async () => {
    const channel = fakeChannel("c", {
      sync: async () => {
        throw failure;
      },
    });
    const onError = vi.fn();
    const scheduler = schedule(channel, { triggers: [] }, { onError });
    await expect(scheduler.syncNow("c")).rejects.toBe(failure);
    expect(onError).not.toHaveBeenCalled();
    await scheduler.syncAll();
    expect(onError).toHaveBeenCalledExactlyOnceWith("c", failure);
    await scheduler.stop();
  });

  it("survives an onError that throws", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const channel = fakeChannel("c", {
      sync: async () => {
        throw new Error("driver's own");
      },
    });
    const onError = vi.fn(() => {
      throw new Error("handler");
    });
    const scheduler = schedule(channel, SCHEDULED, { onError });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(onError).toHaveBeenCalledWith("c", expect.objectContaining({ code: "CHANNEL_FAILED" }));
    expect(channel.runs.length).toBeGreaterThan(1);
    expect(warned).toHaveBeenCalled();
    await scheduler.stop();
    warned.mockRestore();
  });

  it("survives an onError that is async and rejects", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const channel = fakeChannel("c", {
      sync: async () => {
        throw failure;
      },
    });
    const onError = async () => {
      throw new Error("handler");
    };
    const scheduler = schedule(channel, SCHEDULED, { onError });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(1);
    expect(warned).toHaveBeenCalled();
    await scheduler.stop();
    warned.mockRestore();
  });

  it("refuses times that no timer can keep, and a concurrency that lets nothing run", () => {
    const channel = fakeChannel("c");
    for (const intervalMs of [0, -5, Number.NaN, 2 ** 31, 1.5]) {
      expect(() => schedule(channel, { triggers: [], intervalMs })).toThrow(/^c: intervalMs must be a whole number/);
    }
    for (const concurrency of [0, Number.NaN, 1.5]) {
      expect(() => schedule(channel, SCHEDULED, { concurrency })).toThrow(/concurrency must be a whole number/);
    }
  });

  it("publishes every run on the diagnostics channel", async () => {
    const events: SyncEvent[] = [];
    const listen = (event: unknown): void => {
      events.push(event as SyncEvent);
    };
    diagnosticsChannel(SYNC_EVENTS).subscribe(listen);
    const scheduler = schedule(fakeChannel("seen"));
    await scheduler.syncNow("seen");
    diagnosticsChannel(SYNC_EVENTS).unsubscribe(listen);
    expect(events).toMatchObject([
      { name: "seen", reason: "requested", outcome: NOTHING, error: null, durationMs: expect.any(Number) },
    ]);
    await scheduler.stop();
  });

  it("tells in its status what was done and what comes next", async () => {
    vi.setSystemTime(new Date("2026-01-01T00:00:00.000Z"));
    const scheduler = schedule(fakeChannel("c"));
    expect(scheduler.status()[0]).toEqual({
      name: "c",
      state: "idle",
      lastAttemptAt: null,
      lastSuccessAt: null,
      lastError: null,
      consecutiveFailures: 0,
      runs: 0,
      items: 0,
      bytes: 0,
      nextRunAt: null,
      stalenessMs: null,
    });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(250);
    expect(scheduler.status()[0]).toMatchObject({
      lastAttemptAt: "2026-01-01T00:00:00.000Z",
      lastSuccessAt: "2026-01-01T00:00:00.000Z",
      runs: 1,
      items: 1,
      bytes: 10,
      nextRunAt: "2026-01-01T00:00:00.750Z",
      stalenessMs: 250,
    });
    await scheduler.stop();
  });

  it("wakes a watched channel, once for many hints, and watches again after the watch ended", async () => {
    const watches: Array<() => void> = [];
    const channel = fakeChannel("watched", {
      hold: true,
      watch: (wake, signal) =>
        new Promise((resolve, reject) => {
          wake();
          watches.push(resolve);
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    });
    const scheduler = schedule(channel, { triggers: ["on_change"] });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(0);
    for (let i = 0; i < 10; i++) scheduler.wake("watched");
    channel.runs[0]?.resolve(NOTHING);
    await vi.advanceTimersByTimeAsync(0);
    expect(channel.runs.map((run) => run.context.reason)).toEqual(["start", "on_change"]);
    channel.runs[1]?.resolve(NOTHING);
    watches[0]?.();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(watches).toHaveLength(2);
    expect(channel.runs).toHaveLength(3);
    await scheduler.stop();
  });

  it("closes its channels at stop and reports one that cannot be closed", async () => {
    const close = vi.fn(async () => {
      throw new Error("stuck");
    });
    const onError = vi.fn();
    const scheduler = schedule(fakeChannel("c", { close }), SCHEDULED, { onError });
    await scheduler.stop();
    expect(onError).toHaveBeenCalledExactlyOnceWith("c", expect.objectContaining({ code: "CHANNEL_FAILED" }));
  });

  it("refuses two channels of one name and names an unknown one", async () => {
    const twice = [fakeChannel("a"), fakeChannel("a")].map((channel) => ({ channel, schedule: SCHEDULED }));
    expect(() => new ChannelScheduler(twice)).toThrow(TypeError);
    const scheduler = schedule(fakeChannel("a"));
    await expect(scheduler.syncNow("b")).rejects.toMatchObject({
      code: "UNKNOWN_COLLECTION",
      message: 'Unknown channel: "b"',
    });
  });
});
