interface CliErrorOptions {
  /** How to mend it, in one sentence. */
  readonly hint?: string | undefined;
  /** Whether the same may succeed later without anybody mending anything. Default `false`. */
  readonly retryable?: boolean;
  /** What the server asked for with `Retry-After`. */
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}

/** A command could not do what it was asked to. The message is for people, on one line; `code` for programs. */
export class CliError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;

  constructor(code: string, message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
