import { describe, expect, it, onTestFinished } from "vitest";
import { createPageChannel } from "../../../src/pages/create-page-channel.js";
import type { PageClient, PageSyncResult } from "../../../src/pages/page-client.js";
import { ChannelScheduler } from "../../../src/scheduler/channel-scheduler.js";
import { type Deferred, deferred, waitFor } from "../../support/wait.js";

const RESULT: PageSyncResult = {
  changed: true,
  database: "d1",
  generation: 1,
  pageSize: 4096,
  pageCount: 7,
  pagesTransferred: 7,
  bytesSent: 100,
  bytesReceived: 30_000,
  notices: [],
};

/** A pull that ends when the test says so: a real one of this length would have to be of gigabytes. */
function follow(runTimeoutMs: number) {
  const pulls: { readonly end: Deferred<PageSyncResult>; readonly signal: AbortSignal }[] = [];
  const pull: PageClient["pull"] = (_request, signal = new AbortController().signal) => {
    const end = deferred<PageSyncResult>();
    signal.addEventListener("abort", () => end.reject(signal.reason));
    pulls.push({ end, signal });
    return end.promise;
  };
  const client: PageClient = { pull, push: pull, close: async () => {} };
  const channel = createPageChannel({ name: "shop", client, file: "copy.db", token: "t" }, 50);
  const errors: unknown[] = [];
  const schedule = { triggers: ["scheduled"] as const, intervalMs: 60_000, runTimeoutMs };
  const scheduler = new ChannelScheduler([{ channel, schedule: { ...schedule, triggers: ["scheduled"] } }], {
    onError: (_name, error) => errors.push(error),
  });
  onTestFinished(() => scheduler.stop());
  return { pulls, scheduler, errors, status: () => scheduler.status()[0] };
}

describe("a pull that takes longer than a run may", () => {
  it("goes on to its end, as one run and by one pull", async () => {
    const { pulls, scheduler, errors, status } = follow(200);
    const started = scheduler.start();
    await waitFor(() => pulls.length === 1);
    const since = performance.now();
    await waitFor(() => performance.now() - since > 600);
    expect(pulls[0]?.signal.aborted).toBe(false);
    pulls[0]?.end.resolve(RESULT);
    await started;
    await waitFor(() => status()?.state === "idle");
    expect(status()).toMatchObject({ items: 7, bytes: 30_000, lastError: null });
    expect({ pulls: pulls.length, errors }).toEqual({ pulls: 1, errors: [] });
  });

  it("ends when the scheduler stops, at any moment of it", async () => {
    for (const waitMs of [0, 20, 70]) {
      const { pulls, scheduler } = follow(1_000);
      void scheduler.start();
      await waitFor(() => pulls.length === 1);
      const since = performance.now();
      await waitFor(() => performance.now() - since >= waitMs);
      await scheduler.stop();
      expect(pulls[0]?.signal.aborted).toBe(true);
    }
  });

  it("fails the run with what it fails with, and begins anew in the next", async () => {
    const { pulls, scheduler, status } = follow(200);
    void scheduler.start();
    await waitFor(() => pulls.length === 1);
    pulls[0]?.end.reject(new Error("broken off"));
    await waitFor(() => status()?.lastError !== null);
    const again = scheduler.syncNow("shop");
    await waitFor(() => pulls.length === 2);
    pulls[1]?.end.resolve(RESULT);
    await again;
    expect(status()).toMatchObject({ state: "idle", items: 7 });
  });
});
