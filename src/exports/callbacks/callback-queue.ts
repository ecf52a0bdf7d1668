import type { CallbackBook } from "./callback.js";
import type { CallbackSender } from "./callback-sender.js";

export interface CallbackQueueOptions {
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
  /** Told when the book fails; the queue looks again after half a minute. */
  readonly onError?: (error: unknown) => void;
}

export interface CallbackQueue {
  /** Looks into the book now: call it at the start, and whenever a callback was added. */
  wake(): void;
  /** Cuts short what is under way and resolves when nothing touches the book any more. Their tries count; the book has when the next come. */
  close(): Promise<void>;
}

export function createCallbackQueue(options: CallbackQueueOptions): CallbackQueue {
  throw new Error(`not yet: ${options.giveUpAfterMs}`);
}
