import type { LookupFunction } from "node:net";
import { ReplicaError } from "../../errors.js";
import { parseRetryAfter } from "../../http/retry-after.js";
import { systemCode } from "../../http/system-code.js";
import type { CallbackOutcome, PendingCallback } from "./callback.js";
import { addressLiteral, callbackUrlMistake } from "./callback-url.js";
import { type CallbackAnswer, postCallback } from "./post-callback.js";
import { signWebhook } from "./sign-webhook.js";

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
  /** Cuts short what is under way and leaves no connection. */
  close(): Promise<void>;
}

/** Expired is a fact of the try; any other abort is the caller's wish. */
const EXPIRED = Symbol("expired");

/** Sends callbacks, signed as Standard Webhooks has it, and only where they may go. undici loads with the first. */
export function createCallbackSender(options: CallbackSenderOptions): CallbackSender {
  const { secrets, allowPrivate, now = Date.now, deadlineMs = 15_000, lookup, ca } = options;
  const guard = { allowPrivate, ...(lookup !== undefined && { lookup }), ...(ca !== undefined && { ca }) };
  const closing = new AbortController();
  const underWay = new Set<Promise<unknown>>();

  async function post(callback: PendingCallback, url: URL, signal: AbortSignal): Promise<CallbackOutcome> {
    const { messageId: id, body } = callback;
    const headers = {
      "content-type": "application/json",
      "user-agent": "starfish-replica",
      ...signWebhook({ id, timestampSeconds: Math.floor(now() / 1_000), body }, secrets),
    };
    try {
      return mapAnswer(url.origin, await postCallback(url, { headers, body }, guard, signal));
    } catch (error) {
      if (signal.aborted && signal.reason !== EXPIRED) throw signal.reason;
      const reason = signal.aborted ? `gave no answer within ${deadlineMs / 1_000} s` : whyNot(error);
      // What is no name leads nowhere else tomorrow.
      const final = isRefusal(error) && addressLiteral(url.hostname) !== null;
      return { kind: "failed", final, reason: `${url.origin} ${reason}` };
    }
  }

  return {
    async send(callback, signal) {
      const mistake = callbackUrlMistake(callback.url, { allowPrivate });
      if (mistake !== null) return { kind: "failed", final: true, reason: `The callback's URL ${mistake}` };
      const cut = new AbortController();
      const stop = (): void => cut.abort(signal.aborted ? signal.reason : closing.signal.reason);
      for (const cause of [signal, closing.signal]) cause.addEventListener("abort", stop, { once: true });
      if (signal.aborted || closing.signal.aborted) stop();
      const timer = setTimeout(() => cut.abort(EXPIRED), deadlineMs);
      const sent = post(callback, new URL(callback.url), cut.signal);
      underWay.add(sent);
      try {
        return await sent;
      } finally {
        underWay.delete(sent);
        clearTimeout(timer);
        for (const cause of [signal, closing.signal]) cause.removeEventListener("abort", stop);
      }
    },
    async close() {
      closing.abort(new ReplicaError("STOPPED", "The callback was cut short: its sender was closed"));
      await Promise.allSettled(underWay);
    },
  };
}

function mapAnswer(origin: string, { status, retryAfter }: CallbackAnswer): CallbackOutcome {
  if (status >= 200 && status < 300) return { kind: "delivered", status };
  // "The endpoint is gone, send nothing more": https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  if (status === 410)
    return { kind: "failed", final: true, reason: `${origin} answered 410: it wants no callbacks any more` };
  const redirect = status >= 300 && status < 400 ? ", a redirect: callbacks follow none" : "";
  const retryAfterMs = parseRetryAfter(retryAfter);
  return {
    kind: "failed",
    final: false,
    reason: `${origin} answered ${status}${redirect}`,
    ...(retryAfterMs !== null && { retryAfterMs }),
  };
}

/** Never an error's own message: it may name addresses. */
function whyNot(error: unknown): string {
  if (isRefusal(error)) return error.message;
  const code = systemCode(error) ?? (error instanceof Error ? error.name : null);
  return code === null ? "could not be called" : `could not be called (${code})`;
}

function isRefusal(error: unknown): error is ReplicaError {
  return error instanceof ReplicaError && error.code === "CALLBACK_REFUSED";
}
