import type { CallbackBook, CallbackOutcome, PendingCallback } from "./callback.js";
import type { CallbackSender } from "./callback-sender.js";
import { LONGEST_WAIT_MS, nextTryDelayMs } from "./next-try.js";

export interface CallbackQueueOptions {
  /** Must take word of a job that was removed meanwhile, and do nothing. */
  readonly book: CallbackBook;
  /** Stays the caller's: `close` of the queue does not close it. */
  readonly sender: Pick<CallbackSender, "send">;
  /** From the job's end, in milliseconds. */
  readonly giveUpAfterMs: number;
  /** Default `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /** Tries under way at once. Default 4. */
  readonly concurrency?: number;
  /** Told when the book fails, or the sender other than by its answer; the queue looks again after half a minute. Must not throw. */
  readonly onError?: (error: unknown) => void;
}

export interface CallbackQueue {
  /** Looks into the book soon: call it at the start, and whenever a callback was added. */
  wake(): void;
  /** Cuts short what is under way and resolves when nothing touches the book any more. Those tries count; the book has when the next come. */
  close(): Promise<void>;
}

/** The clock may be set, and the machine may sleep: what a timer was set for is looked up anew so often. Below what a timer can hold. */
const LONGEST_SLEEP_MS = 60_000;
const BOOK_FAILED_SLEEP_MS = 30_000;

/** What a try takes at most, with room to spare: one that a crash cut short is made again only after it must have ended. */
const TRY_MS = 20_000;

/**
 * Delivers what the book holds, each at least once. A try is counted, and the time of the next one noted, before it is made, so that it is made
 * again where a crash cuts it short. What fails is tried again by `nextTryDelayMs`, or when the receiver wishes (`Retry-After`) where that is later,
 * with a last try at the time when it is given up. At most one try per job at a time. Its timer keeps no process alive.
 */
export function createCallbackQueue(options: CallbackQueueOptions): CallbackQueue {
  const { book, sender, giveUpAfterMs, random = Math.random, now = Date.now, concurrency = 4, onError } = options;
  const closing = new AbortController();
  const underWay = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;

  function sleep(ms: number): void {
    clearTimeout(timer);
    if (!closing.signal.aborted) timer = setTimeout(look, Math.min(Math.max(ms, 0), LONGEST_SLEEP_MS)).unref();
  }

  function failed(error: unknown): void {
    sleep(BOOK_FAILED_SLEEP_MS);
    onError?.(error);
  }

  function look(): void {
    if (closing.signal.aborted) return;
    try {
      takeDue();
      const nextMs = book.nextDueMs();
      const waitMs = nextMs === null ? 0 : nextMs - now();
      // When a place is free again, it looks again; and what is due but under way already must not keep it busy.
      if (nextMs !== null && underWay.size < concurrency) sleep(waitMs > 0 ? waitMs : 1_000);
      else clearTimeout(timer);
    } catch (error) {
      failed(error);
    }
  }

  function takeDue(): void {
    const nextMs = book.nextDueMs();
    if (nextMs === null || underWay.size >= concurrency) return;
    // No wait is that long, so the clock was set back since it was noted.
    const dueMs = nextMs - now() > LONGEST_WAIT_MS + TRY_MS ? nextMs : now();
    // Those under way may be among them.
    for (const callback of book.due(dueMs, concurrency + underWay.size)) {
      if (underWay.size >= concurrency) return;
      if (underWay.has(callback.jobId)) continue;
      const delayMs = nextTryDelayMs(callback.attempts + 1, random);
      book.begin(callback.jobId, now() + TRY_MS + delayMs);
      const done = attempt(callback, delayMs).then(
        () => settle(callback.jobId),
        (error: unknown) => {
          settle(callback.jobId);
          if (!closing.signal.aborted) failed(error);
        },
      );
      underWay.set(callback.jobId, done);
    }
  }

  function settle(jobId: string): void {
    underWay.delete(jobId);
    sleep(0);
  }

  async function attempt(callback: PendingCallback, delayMs: number): Promise<void> {
    const outcome = await sender.send(callback, closing.signal);
    if (outcome.kind === "delivered") book.delivered(callback.jobId);
    else putOff(callback, outcome, delayMs);
  }

  function putOff(
    { jobId, since }: PendingCallback,
    { final, reason, retryAfterMs = 0 }: Extract<CallbackOutcome, { kind: "failed" }>,
    delayMs: number,
  ): void {
    const giveUpAtMs = since + giveUpAfterMs;
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(delayMs, retryAfterMs));
    if (final || now() >= giveUpAtMs) book.giveUp(jobId, reason);
    else book.retryAt(jobId, Math.min(now() + waitMs, giveUpAtMs), reason);
  }

  return {
    wake() {
      sleep(0);
    },
    async close() {
      closing.abort();
      clearTimeout(timer);
      await Promise.all(underWay.values());
    },
  };
}
