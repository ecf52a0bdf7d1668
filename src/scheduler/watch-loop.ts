import { type ReplicaError, toReplicaError } from "../errors.js";
import type { Channel } from "./channel.js";
import { type BackOffOptions, backOffDelay } from "./delays.js";

export interface WatchOptions {
  readonly backOff: BackOffOptions;
  readonly random: () => number;
  readonly onError: (name: string, error: ReplicaError) => void;
}

/**
 * Watches a channel's source until the signal aborts: begins again, with back-off, when the watch ends or fails, and wakes the channel
 * once after each gap, since changes may have passed unseen.
 */
export async function keepWatching(
  channel: Channel,
  wake: () => void,
  signal: AbortSignal,
  options: WatchOptions,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await channel.watch?.(wake, signal);
    } catch (error) {
      if (signal.aborted) return;
      options.onError(channel.name, toReplicaError(error, "CHANNEL_FAILED", channel.name));
    }
    // A watch that lasted is no failure in a row.
    failures = performance.now() - startedAt > (options.backOff.capMs ?? 60_000) ? 1 : failures + 1;
    await pause(backOffDelay(failures, options.backOff, options.random), signal);
    if (!signal.aborted) wake();
  }
}

/** Resolves after the delay, or at once when the signal aborts. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
