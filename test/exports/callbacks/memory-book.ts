import type { CallbackBook, PendingCallback } from "../../../src/exports/callbacks/callback.js";

interface Entry extends PendingCallback {
  attempts: number;
  dueMs: number;
  state: "pending" | "delivered" | "given_up";
  reason: string | null;
}

/** A book that outlives the queues that work from it. */
export interface MemoryBook extends CallbackBook {
  /** Every call that changes something, in order: `begin job-1`. */
  readonly calls: string[];
  /** How often it was asked when the next time comes. */
  looks: number;
  /** Thrown by every call while it is set. */
  failure: Error | null;
  add(callback: PendingCallback, dueMs?: number): void;
  remove(jobId: string): void;
  entry(jobId: string): Readonly<Entry> | undefined;
}

/** A {@link CallbackBook} as the engine's is: calls about jobs that are not in it do nothing. */
export function createMemoryBook(): MemoryBook {
  const entries = new Map<string, Entry>();
  const calls: string[] = [];
  const pending = () =>
    [...entries.values()].filter(({ state }) => state === "pending").sort((a, b) => a.dueMs - b.dueMs);
  const change = (what: string, jobId: string, apply: (entry: Entry) => void): void => {
    check();
    calls.push(`${what} ${jobId}`);
    const entry = entries.get(jobId);
    if (entry !== undefined) apply(entry);
  };
  const check = (): void => {
    if (book.failure !== null) throw book.failure;
  };
  const book: MemoryBook = {
    calls,
    looks: 0,
    failure: null,
    add(callback, dueMs = callback.since) {
      entries.set(callback.jobId, { ...callback, dueMs, state: "pending", reason: null });
    },
    remove: (jobId) => void entries.delete(jobId),
    entry: (jobId) => entries.get(jobId),
    due(nowMs, limit) {
      check();
      const due = pending().filter(({ dueMs }) => dueMs <= nowMs);
      return due.slice(0, limit).map((entry) => ({ ...entry }));
    },
    nextDueMs() {
      book.looks += 1;
      check();
      return pending()[0]?.dueMs ?? null;
    },
    begin: (jobId, nextTryMs) =>
      change("begin", jobId, (entry) => {
        entry.attempts += 1;
        entry.dueMs = nextTryMs;
      }),
    delivered: (jobId) =>
      change("delivered", jobId, (entry) => {
        entry.state = "delivered";
      }),
    retryAt: (jobId, atMs, reason) =>
      change("retryAt", jobId, (entry) => {
        entry.dueMs = atMs;
        entry.reason = reason;
      }),
    giveUp: (jobId, reason) =>
      change("giveUp", jobId, (entry) => {
        entry.state = "given_up";
        entry.reason = reason;
      }),
  };
  return book;
}
