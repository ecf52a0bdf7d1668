import type { LookupFunction } from "node:net";
import type { CallbackOutcome, PendingCallback } from "./callback.js";

export interface CallbackSenderOptions {
  /** Each signs; at least one, all free of mistakes (`webhookSecretMistake`). */
  readonly secrets: readonly string[];
  readonly allowPrivate: boolean;
  /** Milliseconds since 1970, for the timestamp that is signed. Default `Date.now`. */
  readonly now?: () => number;
  /** All a try may take: name, connection, request, answer. In milliseconds. Default 15 000. */
  readonly deadlineMs?: number;
  /** Default `dns.lookup`. */
  readonly lookup?: LookupFunction;
  /** Certificates (PEM) that are trusted in place of Node's. */
  readonly ca?: string;
}

export interface CallbackSender {
  /** Makes one try. Rejects only where `signal` or `close` cut it short: with the signal's reason, or `STOPPED`. */
  send(callback: PendingCallback, signal: AbortSignal): Promise<CallbackOutcome>;
  /** Cuts short what is under way and leaves no handle. */
  close(): Promise<void>;
}

export function createCallbackSender(options: CallbackSenderOptions): CallbackSender {
  throw new Error(`not yet: ${options.secrets.length}`);
}
