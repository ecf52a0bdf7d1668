import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CallbackOutcome, PendingCallback } from "../../../src/exports/callbacks/callback.js";
import {
  type CallbackQueue,
  type CallbackQueueOptions,
  createCallbackQueue,
} from "../../../src/exports/callbacks/callback-queue.js";
import { createCallbackSender } from "../../../src/exports/callbacks/callback-sender.js";
import { atEnd } from "../../support/at-end.js";
import { hostile } from "../../support/hostile.js";
import { type HostileServer, startHostileServer } from "../../support/hostile-server.js";
import { expectProcessEnds } from "../../support/open-handles.js";
import { realDelay } from "../../support/real-time.js";
import { deferred, waitFor } from "../../support/wait.js";
import { createMemoryBook, type MemoryBook } from "./memory-book.js";

const SECRET = `whsec_${randomBytes(32).toString("base64")}`;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = 1_800_000_000_000;

function callback(jobId: string, url = "https://hooks.example.com/", since = START_MS): PendingCallback {
  return {
    jobId,
    messageId: `msg_${jobId}`,
    url,
    body: `{"type":"export.completed","data":"${jobId} é 𝕊"}`,
    attempts: 0,
    since,
  };
}

/** A queue on a clock that stands until the test moves it. */
function start(options: Partial<CallbackQueueOptions> & { readonly book: MemoryBook }) {
  const clock = { ms: START_MS };
  const sender = createCallbackSender({ secrets: [SECRET], allowPrivate: true, deadlineMs: 2_000 });
  const queue: CallbackQueue = createCallbackQueue({
    sender,
    giveUpAfterMs: 3 * DAY_MS,
    random: () => 0.5,
    now: () => clock.ms,
    ...options,
  });
  atEnd(async () => {
    await queue.close();
    await sender.close();
  });
  return { queue, clock, book: options.book };
}

/** Lets so much time pass, and the queue look into its book once, to the end. */
async function pass({ queue, clock, book }: ReturnType<typeof start>, ms: number): Promise<void> {
  clock.ms += ms;
  const before = book.looks;
  queue.wake();
  await waitFor(() => book.looks >= before + 2);
}

async function receiver(...behaviours: Parameters<HostileServer["next"]>): Promise<HostileServer> {
  const server = await startHostileServer();
  server.next(...behaviours);
  server.on("*", hostile.status(204));
  return server;
}

afterEach(() => {
  vi.useRealTimers();
});

describe("createCallbackQueue", () => {
  it("delivers after failures, by itself, each time the same bytes under the same id and a fresh signature", async () => {
    const server = await receiver(hostile.status(500), hostile.hangUp("reset"));
    const book = createMemoryBook();
    const { queue } = start({ book, now: Date.now, random: () => 0 });
    const sent = callback("a", `${server.origin}/hook`, Date.now());
    book.add(sent);
    queue.wake();
    await waitFor(() => book.entry("a")?.state === "delivered", { timeoutMs: 10_000 });
    expect(book.entry("a")).toMatchObject({ attempts: 3, reason: expect.stringMatching(/could not be called/) });
    expect(book.calls).toEqual(["begin a", "retryAt a", "begin a", "retryAt a", "begin a", "delivered a"]);
    expect(server.received.map(({ body }) => body)).toEqual([sent.body, sent.body, sent.body]);
    const headers = server.received.map((request) => request.headers as Record<string, string>);
    expect(headers.map((each) => each["webhook-id"])).toEqual(["msg_a", "msg_a", "msg_a"]);
    for (const each of headers) new Webhook(SECRET).verify(sent.body, each);
    const times = headers.map((each) => Number(each["webhook-timestamp"]));
    expect(times[2]).toBeGreaterThan(times[0] ?? Infinity);
  });

  it("backs off as documented, and tries no sooner", async () => {
    const server = await receiver();
    server.on("*", hostile.status(503));
    const book = createMemoryBook();
    const running = start({ book });
    book.add(callback("a", server.origin));
    const waits: number[] = [];
    for (let count = 1; count <= 13; count += 1) {
      running.queue.wake();
      await waitFor(() => book.calls.length === 2 * count);
      expect(server.received).toHaveLength(count);
      waits.push((book.entry("a")?.dueMs ?? 0) - running.clock.ms);
      await pass(running, (waits.at(-1) ?? 0) - 1);
      expect(book.calls).toHaveLength(2 * count);
      running.clock.ms += 1;
    }
    const halves = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600, 3_600];
    expect(waits).toEqual(halves.map((bound) => 1_000 + (bound * 1_000 - 1_000) / 2));
  });

  it("waits as long as the receiver wishes where that is longer, an hour at most", async () => {
    const server = await receiver(
      hostile.tooManyRequests(600),
      hostile.tooManyRequests(0),
      hostile.tooManyRequests(99_999),
    );
    const book = createMemoryBook();
    const running = start({ book });
    book.add(callback("a", server.origin));
    const waits: number[] = [];
    for (let count = 1; count <= 3; count += 1) {
      running.queue.wake();
      await waitFor(() => book.calls.length === 2 * count);
      waits.push((book.entry("a")?.dueMs ?? 0) - running.clock.ms);
      running.clock.ms += waits.at(-1) ?? 0;
    }
    expect(waits).toEqual([600_000, 5_500, HOUR_MS]);
  });

  it("gives up after a last try at the time that was set", async () => {
    const server = await receiver();
    server.on("*", hostile.status(500));
    const book = createMemoryBook();
    const running = start({ book, giveUpAfterMs: 20_000, random: () => 0.99 });
    book.add(callback("a", server.origin));
    const tries: number[] = [];
    while (book.entry("a")?.state === "pending") {
      const before = book.calls.length;
      tries.push(running.clock.ms - START_MS);
      running.queue.wake();
      await waitFor(() => book.calls.length === before + 2);
      running.clock.ms = Math.max(running.clock.ms, book.entry("a")?.dueMs ?? 0);
    }
    expect(book.entry("a")).toMatchObject({ state: "given_up", attempts: 4, reason: `${server.origin} answered 500` });
    expect(tries).toEqual([0, 4_960, 14_870, 20_000]);
    await pass(running, DAY_MS);
    expect(server.received).toHaveLength(4);
  });

  it("tries once what came due while nothing ran, however late it is", async () => {
    const server = await receiver();
    const book = createMemoryBook();
    const { queue, clock } = start({ book });
    clock.ms += 30 * DAY_MS;
    book.add(callback("a", server.origin));
    book.add({ ...callback("b", "http://127.0.0.1:1/"), attempts: 7 });
    queue.wake();
    await waitFor(() => book.entry("a")?.state === "delivered" && book.entry("b")?.state === "given_up");
  });

  it("gives up at once where the receiver is gone (410) or the URL may not be called", async () => {
    const server = await receiver(hostile.status(410));
    const book = createMemoryBook();
    const { queue } = start({ book });
    book.add(callback("gone", server.origin));
    book.add(callback("metadata", "http://169.254.169.254/latest"));
    queue.wake();
    await waitFor(() => ["gone", "metadata"].every((jobId) => book.entry(jobId)?.state === "given_up"));
    expect(book.entry("gone")).toMatchObject({ attempts: 1, reason: expect.stringMatching(/answered 410/) });
    expect(book.entry("metadata")).toMatchObject({ reason: expect.stringMatching(/no callback goes to$/) });
  });

  it("goes on after a restart in the middle of a try: the try was counted, and is made again", async () => {
    const server = await receiver(hostile.silence());
    const book = createMemoryBook();
    const first = start({ book });
    const sent = callback("a", server.origin);
    book.add(sent);
    first.queue.wake();
    await waitFor(() => server.received.length === 1);
    expect(book.entry("a")).toMatchObject({ attempts: 1, state: "pending" });
    await first.queue.close();
    await waitFor(() => server.connections.open === 0);
    expect(book.calls).toEqual(["begin a"]);
    first.queue.wake();

    const second = start({ book });
    // What the first try may have taken, and the delay after one.
    await pass(second, 20_000 + 3_000 - 1);
    expect(book.calls).toEqual(["begin a"]);
    await pass(second, 1);
    await waitFor(() => book.entry("a")?.state === "delivered");
    expect(book.entry("a")?.attempts).toBe(2);
    expect(server.received.map(({ body }) => body)).toEqual([sent.body, sent.body]);
    expect(server.received.map(({ headers }) => headers["webhook-id"])).toEqual(["msg_a", "msg_a"]);
  });

  it("makes a few tries at once, one per job, and delivers all", async () => {
    const open = new Set<string>();
    const peak = { jobs: 0 };
    const book = createMemoryBook();
    const send = vi.fn(async ({ jobId }: PendingCallback): Promise<CallbackOutcome> => {
      if (open.has(jobId)) throw new Error(`two tries of ${jobId}`);
      open.add(jobId);
      peak.jobs = Math.max(peak.jobs, open.size);
      // They end one after the other, so that places become free while others are taken.
      await realDelay(10 + 15 * (Number(jobId.slice(4)) % 3));
      open.delete(jobId);
      return { kind: "delivered", status: 200 };
    });
    const { queue } = start({ book, sender: { send }, concurrency: 3 });
    for (let count = 0; count < 20; count += 1) book.add(callback(`job-${count}`));
    for (let count = 0; count < 5; count += 1) queue.wake();
    await waitFor(() =>
      Array.from({ length: 20 }, (_, n) => book.entry(`job-${n}`)).every((e) => e?.state === "delivered"),
    );
    expect([peak.jobs, send.mock.calls.length]).toEqual([3, 20]);
  });

  it("makes no second try while one is under way, though the clock jumps ahead", async () => {
    const answer = deferred<CallbackOutcome>();
    const book = createMemoryBook();
    const send = vi.fn(() => answer.promise);
    const running = start({ book, sender: { send } });
    book.add(callback("a"));
    running.queue.wake();
    await waitFor(() => send.mock.calls.length === 1);
    await pass(running, DAY_MS);
    expect(send).toHaveBeenCalledTimes(1);
    answer.resolve({ kind: "delivered", status: 200 });
    await waitFor(() => book.entry("a")?.state === "delivered");
  });

  it("does not wait for a time that the clock was set back from", async () => {
    const server = await receiver();
    const book = createMemoryBook();
    const running = start({ book });
    book.add(callback("a", server.origin), START_MS + 2 * HOUR_MS);
    running.queue.wake();
    await waitFor(() => book.entry("a")?.state === "delivered");
  });

  it("bears that a job is removed in the middle of its callback", async () => {
    const answer = deferred<CallbackOutcome>();
    const book = createMemoryBook();
    const onError = vi.fn();
    const { queue } = start({ book, sender: { send: () => answer.promise }, onError });
    book.add(callback("a"));
    queue.wake();
    await waitFor(() => book.calls.length === 1);
    book.remove("a");
    answer.resolve({ kind: "failed", final: false, reason: "no" });
    await waitFor(() => book.calls.length === 2);
    expect([book.entry("a"), onError.mock.calls]).toEqual([undefined, []]);
  });

  it("tells of a book that fails, sends nothing that it could not note, and looks again after half a minute", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const book = createMemoryBook();
    const onError = vi.fn();
    const send = vi.fn(async (): Promise<CallbackOutcome> => ({ kind: "delivered", status: 200 }));
    const { queue } = start({ book, sender: { send }, onError });
    book.add(callback("a"));
    book.failure = new Error("disk full");
    queue.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect([onError.mock.calls, send.mock.calls]).toEqual([[[book.failure]], []]);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(onError).toHaveBeenCalledTimes(1);
    book.failure = null;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(book.entry("a")?.state).toBe("delivered");
  });

  it("delivers again what the book could not note as delivered", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const book = createMemoryBook();
    const onError = vi.fn();
    const send = vi.fn(async (): Promise<CallbackOutcome> => {
      await Promise.resolve();
      if (send.mock.calls.length === 1) book.failure = new Error("disk full");
      return { kind: "delivered", status: 200 };
    });
    const running = start({ book, sender: { send }, onError });
    book.add(callback("a"));
    running.queue.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect([onError.mock.calls.length, book.entry("a")?.state]).toEqual([1, "pending"]);
    book.failure = null;
    running.clock.ms += 30_000;
    await vi.advanceTimersByTimeAsync(30_000);
    expect([send.mock.calls.length, book.entry("a")?.state]).toEqual([2, "delivered"]);
  });

  it("looks at the clock every minute while it waits, and no more often", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const book = createMemoryBook();
    const looks = vi.spyOn(book, "nextDueMs");
    const send = vi.fn(async (): Promise<CallbackOutcome> => ({ kind: "delivered", status: 200 }));
    const { queue, clock } = start({ book, sender: { send } });
    book.add(callback("a"), START_MS + HOUR_MS);
    queue.wake();
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(looks.mock.calls.length).toBeLessThanOrEqual(2 * 11);
    // The machine slept, or the clock was set: the timer knew nothing of it.
    clock.ms += HOUR_MS;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(send).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps no process alive, neither while it waits nor when it was closed in the middle of a try", async () => {
    await expectProcessEnds(new URL("./queue-child.ts", import.meta.url).pathname);
  });
});
