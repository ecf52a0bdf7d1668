import RateLimiterMemory from "rate-limiter-flexible/lib/RateLimiterMemory.js";
import { ReplicaError } from "../../errors.js";
import { AttemptKeys } from "./attempt-keys.js";
import { FailedLogins } from "./failed-logins.js";
import { LatestNames } from "./latest-names.js";

/** A login that was let through. Unless one of these is called, it counts as failed. */
export interface LoginAttempt {
  /** The password was right. */
  succeed(): void;
  /** Nothing was learnt about the password: the server failed, or was too busy. */
  undo(): void;
}

/** Slows down who tries many passwords or makes many accounts. */
export interface AttemptLimiter {
  /** For what has no password to guess: sign-up, the begin of an OAuth login. @throws `RATE_LIMITED` with `retryAfterMs` */
  admit(address: string): Promise<void>;
  /** Before a password is looked at. @throws `RATE_LIMITED` with `retryAfterMs` */
  beginLogin(address: string, email: string): Promise<LoginAttempt>;
}

interface AttemptLimiterOptions {
  /** Attempts of one address in a minute. Default 10. */
  readonly perMinute?: number;
  /** The first failure for one email that a pause follows. Default 5. */
  readonly freeFailures?: number;
  /** The longest pause, in milliseconds. Default 60 000. */
  readonly longestPauseMs?: number;
}

const WINDOW_SECONDS = 60;
const MAX_KNOWN_PAIRS = 10_000;

/**
 * Limits in the memory of this process, some 30 MB at most under any attack; a restart forgets them.
 *
 * An address may try ten times a minute. The fifth failure of an email within an hour, from wherever they come, is followed by a pause of a second, the next
 * ones by 2, 4… and at most 60, in which nobody's password for it is looked at. So whoever guesses at one account from many addresses has 1 500 guesses a day, and
 * can keep its user out for as long as it goes on. Two things bound that harm: no pause is longer than a minute, and whoever has logged in to the account
 * from an address before (one of the last 10 000 such pairs) has a count of his own there, which others' failures do not touch.
 */
export function createAttemptLimiter({
  perMinute = 10,
  freeFailures = 5,
  longestPauseMs = 60_000,
}: AttemptLimiterOptions = {}): AttemptLimiter {
  const keys = new AttemptKeys();
  const addresses = new RateLimiterMemory({ points: perMinute, duration: WINDOW_SECONDS });
  const failures = new FailedLogins(freeFailures, longestPauseMs);
  const known = new LatestNames(MAX_KNOWN_PAIRS);

  async function admit(address: string): Promise<void> {
    try {
      await addresses.consume(keys.address(address));
    } catch (refusal) {
      if (refusal instanceof Error) throw refusal;
      const { msBeforeNext } = refusal as { readonly msBeforeNext: number };
      throw limited("Too many attempts from your address", msBeforeNext);
    }
  }

  return {
    admit,
    async beginLogin(address, email) {
      await admit(address);
      const pair = keys.exactPair(address, email);
      const key = known.has(pair) ? keys.pair(address, email) : keys.email(email);
      const pauseMs = await failures.begin(key);
      if (pauseMs > 0) throw limited("Too many failed logins with this email", pauseMs);
      return {
        succeed() {
          failures.forget(key);
          known.add(pair);
        },
        undo: () => failures.undo(key),
      };
    },
  };
}

function limited(what: string, retryAfterMs: number): ReplicaError {
  const seconds = Math.ceil(retryAfterMs / 1_000);
  return new ReplicaError("RATE_LIMITED", `${what}: try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}`, {
    retryable: true,
    retryAfterMs: Math.ceil(retryAfterMs),
    hint: "Wait, and check the email and the password.",
  });
}
