import { ConfigurationError, ReplicaError, type ReplicaErrorCode, toReplicaError } from "../errors.js";

/** A `ReplicaError` as plain data that crosses threads and processes. */
export interface PackedError {
  readonly code: ReplicaErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly retryAfterMs?: number;
  readonly status?: number;
  /** Of a `ConfigurationError`. */
  readonly mistakes?: readonly string[];
  readonly stack?: string;
  /** What the cause says, its stack where it has one. */
  readonly cause?: string;
}

/** Packs any error. One that is not ours becomes `code` with its message, and is kept as the text of the cause. */
export function packError(error: unknown, code: ReplicaErrorCode, what: string): PackedError {
  const ours = toReplicaError(error, code, what);
  return {
    code: ours.code,
    message: ours.message,
    retryable: ours.retryable,
    ...(ours.hint !== undefined && { hint: ours.hint }),
    ...(ours.retryAfterMs !== undefined && { retryAfterMs: ours.retryAfterMs }),
    ...(ours.status !== undefined && { status: ours.status }),
    ...(ours instanceof ConfigurationError && { mistakes: ours.mistakes }),
    ...(ours.stack !== undefined && { stack: ours.stack }),
    ...(ours.cause !== undefined && { cause: describeCause(ours.cause) }),
  };
}

/** The error again. Its cause is an `Error` with the text of the first one. */
export function unpackError(packed: PackedError): ReplicaError {
  const { code, message, mistakes, stack, cause, ...options } = packed;
  const error =
    mistakes === undefined
      ? new ReplicaError(code, message, { ...options, ...(cause !== undefined && { cause: new Error(cause) }) })
      : new ConfigurationError(mistakes);
  if (stack !== undefined) error.stack = stack;
  return error;
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
