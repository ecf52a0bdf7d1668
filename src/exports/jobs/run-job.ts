import { setTimeout as sleep } from "node:timers/promises";
import { type ReplicaError, toReplicaError } from "../../errors.js";
import { beforeAbort } from "../../threads/before-abort.js";
import { attemptJob } from "./attempt-job.js";
import type { JobContext } from "./job-context.js";

/** How long a job is tried again. */
export interface RetryRules {
  /** A store that is away for longer than this, without a part that got through, fails the job. Default 1 800 000: half an hour. */
  readonly storePatienceMs: number;
  /** Attempts in a row, without a part between them, that end with any other error that may pass. Default 5. */
  readonly attempts: number;
  /** Pause after the first failure; doubled after each, up to a minute, and random by half. Default 1 000. */
  readonly pauseMs: number;
}

export const RETRY_RULES: RetryRules = { storePatienceMs: 30 * 60_000, attempts: 5, pauseMs: 1_000 };

const LONGEST_PAUSE_MS = 60_000;

/**
 * Works on one job until it has completed or failed, from whatever state it is in. One that failed keeps its error and none of its files.
 * @throws the signal's reason, and nothing else: the job is then as it is after a crash.
 */
export async function runJob(id: string, context: JobContext, rules: RetryRules, signal: AbortSignal): Promise<void> {
  const { jobs, folders, onChange } = context;
  const failures = new Failures(rules);
  for (;;) {
    try {
      if (jobs.get(id)?.job.state === "queued") {
        jobs.markRunning(id);
        onChange(id);
      }
      await attemptJob(id, context, signal);
      // What is left is swept.
      await folders.removeWork(id).catch(() => {});
      return;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toReplicaError(thrown, "WORKER_FAILED", "The export failed");
      if (error.code === "DISK_LIMIT" && (await madeRoom(context, signal))) continue;
      const pauseMs = failures.pauseAfter(error, progressOf(id, context));
      if (pauseMs === null) return await failJob(id, error, context, rules, signal);
      await pause(pauseMs, signal);
    }
  }
}

/** What cannot be removed makes no room; why, the next sweep by itself tells. */
async function madeRoom({ makeRoom }: JobContext, signal: AbortSignal): Promise<boolean> {
  const making = makeRoom().catch(() => false);
  return await beforeAbort(making, signal);
}

/** Removes everything but the job itself. What cannot be removed now is swept later. */
async function removeFiles(id: string, { jobs, store, folders }: JobContext, signal: AbortSignal): Promise<void> {
  const record = jobs.get(id);
  if (record === null) return;
  try {
    await folders.removeWork(id);
    await beforeAbort(store.remove(record.ticket, record.location), signal);
    jobs.forgetFiles(id);
  } catch {
    // The ticket stays in the books for the sweep.
  }
}

async function failJob(
  id: string,
  error: ReplicaError,
  context: JobContext,
  rules: RetryRules,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      context.jobs.fail(id, error);
      context.onChange(id);
      await removeFiles(id, context, signal);
      return;
    } catch {
      // Books on a full disk take nothing: that gives them room, and nothing of the job is needed any more.
      await context.folders.removeWork(id).catch(() => {});
      await pause(rules.pauseMs, signal);
    }
  }
}

/** Grows with everything that a job gets done; falls back where it is begun anew, and to 0 where the books cannot be read. */
function progressOf(id: string, { jobs }: JobContext): number {
  try {
    const record = jobs.get(id);
    if (record === null || record.snapshotBytes === null) return 0;
    return (record.ticket === null ? 1 : 2) + record.job.progress.bytesWritten;
  } catch {
    return 0;
  }
}

class Failures {
  readonly #rules: RetryRules;
  #count = 0;
  #since = 0;
  /** The furthest it ever came: what is begun anew over and over gets nowhere. */
  #furthest = -1;

  constructor(rules: RetryRules) {
    this.#rules = rules;
  }

  /** How long to wait before the next attempt; `null`: there is none. */
  pauseAfter(error: ReplicaError, progress: number): number | null {
    if (progress > this.#furthest) {
      this.#count = 0;
      this.#since = performance.now();
      this.#furthest = progress;
    }
    this.#count += 1;
    if (!error.retryable) return null;
    const isStore = error.code === "ARTIFACT_STORE";
    const isOver = isStore
      ? performance.now() - this.#since > this.#rules.storePatienceMs
      : this.#count >= this.#rules.attempts;
    if (isOver) return null;
    return Math.min(LONGEST_PAUSE_MS, this.#rules.pauseMs * 2 ** (this.#count - 1)) * (0.5 + Math.random() / 2);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
  signal.throwIfAborted();
}
