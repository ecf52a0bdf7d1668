import { inspect } from "node:util";
import { realDelay, realNow } from "./real-time.js";

interface WaitOptions {
  /** Give up after so long. Default 5 000. */
  readonly timeoutMs?: number;
  /** Pause between two looks. Default 10. */
  readonly everyMs?: number;
  /** What is waited for, in words, for the failure message. Default: the source of `fact`. */
  readonly what?: string;
}

/**
 * Looks until `fact` gives something truthy, and resolves with that. A throw counts as "not yet". Rejects after `timeoutMs` with what
 * was waited for and the last value or error (as `cause`). Uses real time, fake timers or not. An assertion gives `undefined` and is
 * therefore never enough: return a value, or use `vi.waitFor` for assertions.
 */
export async function waitFor<T>(
  fact: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false | 0 | "">> {
  const { timeoutMs = 5_000, everyMs = 10, what = fact.toString() } = options;
  const deadline = realNow() + timeoutMs;
  for (;;) {
    let last: string;
    let cause: unknown;
    try {
      const value = await fact();
      if (value) return value as Exclude<T, undefined | null | false | 0 | "">;
      last = `last value: ${inspect(value)}`;
    } catch (error) {
      last = `last error: ${error instanceof Error ? error.message : inspect(error)}`;
      cause = error;
    }
    if (realNow() >= deadline) throw new Error(`Waited ${timeoutMs} ms in vain for: ${what}\n${last}`, { cause });
    await realDelay(everyMs);
  }
}

/** A promise with its ends outside. `settled` tells whether one of them was used. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly settled: boolean;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** Makes a {@link Deferred}. A rejection that nobody has awaited yet is not reported as unhandled. */
export function deferred<T = void>(): Deferred<T> {
  let ends: { resolve: (value: T) => void; reject: (reason: unknown) => void } | undefined;
  let settled = false;
  const promise = new Promise<T>((resolve, reject) => {
    ends = { resolve, reject };
  });
  promise.catch(() => {});
  return {
    promise,
    get settled() {
      return settled;
    },
    resolve(value) {
      settled = true;
      ends?.resolve(value);
    },
    reject(reason) {
      settled = true;
      ends?.reject(reason);
    },
  };
}
