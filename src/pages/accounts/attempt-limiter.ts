/** A login that was let through. Unless one of these is called, it counts as failed. */
export interface LoginAttempt {
  /** The password was right. */
  succeed(): void;
  /** Nothing was learnt about the password: the server failed, or was too busy. */
  undo(): void;
}

/** Slows down who tries many passwords or makes many accounts. In memory: a restart forgets. */
export interface AttemptLimiter {
  /** For what has no password to guess: sign-up, the begin of an OAuth login. @throws `RATE_LIMITED` with `retryAfterMs` */
  admit(address: string): Promise<void>;
  /** Before a password is looked at. @throws `RATE_LIMITED` with `retryAfterMs` */
  beginLogin(address: string, email: string): Promise<LoginAttempt>;
}

export interface AttemptLimiterOptions {
  /** Attempts of one address in a minute. Default 10. */
  readonly perMinute?: number;
  /** Failures for one email before pauses begin. Default 5. */
  readonly freeFailures?: number;
  /** The longest pause, in milliseconds. Default 60 000. */
  readonly longestPauseMs?: number;
}

export function createAttemptLimiter(_options: AttemptLimiterOptions = {}): AttemptLimiter {
  throw new Error("not yet");
}
