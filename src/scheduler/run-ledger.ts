import type { ReplicaError, ReplicaErrorCode } from "../errors.js";
import type { SyncOutcome } from "./channel.js";

/** What a channel has done and is about to do. Times are ISO 8601 UTC; what does not apply is `null`. */
export interface ChannelStatus {
  readonly name: string;
  /** `failing`: the last run failed and the next one is a retry. `stopped`: after `stop()`. */
  readonly state: "idle" | "running" | "failing" | "stopped";
  readonly lastAttemptAt: string | null;
  readonly lastSuccessAt: string | null;
  /** The last failure, kept after a success. */
  readonly lastError: { readonly code: ReplicaErrorCode; readonly message: string; readonly at: string } | null;
  readonly consecutiveFailures: number;
  readonly runs: number;
  readonly items: number;
  readonly bytes: number;
  readonly nextRunAt: string | null;
  /** Milliseconds since the last successful run began: the local copy is at most this much behind. `null` before the first. */
  readonly stalenessMs: number | null;
}

/** Keeps count of one channel's runs. */
export class RunLedger {
  failures = 0;
  /** Monotonic milliseconds of the last completed run; -Infinity before the first. */
  completedAt: number = Number.NEGATIVE_INFINITY;
  #attemptAt: number | null = null;
  #successAt: number | null = null;
  #lastError: ChannelStatus["lastError"] = null;
  #runs = 0;
  #items = 0;
  #bytes = 0;

  begin(): void {
    this.#attemptAt = Date.now();
    this.#runs += 1;
  }

  succeed(outcome: SyncOutcome): void {
    this.completedAt = performance.now();
    if (outcome.idle) return;
    this.failures = 0;
    this.#successAt = this.#attemptAt;
    this.#items += outcome.items;
    this.#bytes += outcome.bytes;
  }

  fail(error: ReplicaError): void {
    this.failures += 1;
    this.completedAt = performance.now();
    this.#lastError = { code: error.code, message: error.message, at: new Date().toISOString() };
  }

  status(name: string, state: ChannelStatus["state"], nextRunAt: number | null): ChannelStatus {
    return {
      name,
      state,
      lastAttemptAt: iso(this.#attemptAt),
      lastSuccessAt: iso(this.#successAt),
      lastError: this.#lastError,
      consecutiveFailures: this.failures,
      runs: this.#runs,
      items: this.#items,
      bytes: this.#bytes,
      nextRunAt: iso(nextRunAt),
      stalenessMs: this.#successAt === null ? null : Math.max(0, Date.now() - this.#successAt),
    };
  }
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
