import { ReplicaError } from "../errors.js";
import { describeUrl } from "../http/describe-url.js";
import { systemCode } from "../http/system-code.js";
import { isTemporary } from "../http/temporary-status.js";

/** What went wrong with a stream of changes, each in the catalogue's words. */
export const streamErrors = {
  /** Translates whatever an HTTP client threw before the answer's head. */
  unreachable(error: unknown, url: string): ReplicaError {
    if (error instanceof ReplicaError) return error;
    return new ReplicaError("PRIMARY_UNREACHABLE", `${describeUrl(url)} cannot be reached: ${describe(error)}`, {
      retryable: true,
      cause: error,
      hint: "Check that the primary is running and that `url` names its change feed.",
    });
  },
  /** The same for after it. */
  broken(error: unknown, url: string): ReplicaError {
    if (error instanceof ReplicaError) return error;
    return new ReplicaError("PRIMARY_UNREACHABLE", `${describeUrl(url)} broke off its stream: ${describe(error)}`, {
      retryable: true,
      cause: error,
    });
  },
  endedEmpty: (url: string): ReplicaError =>
    new ReplicaError("PRIMARY_UNREACHABLE", `${describeUrl(url)} ended its stream before it said anything`, {
      retryable: true,
    }),
  silent: (url: string, ms: number): ReplicaError =>
    new ReplicaError("PRIMARY_TIMEOUT", `${describeUrl(url)} has been silent for ${ms} ms`, { retryable: true }),
  refused(url: string, status: number, retryAfterMs: number | null): ReplicaError {
    const busy = isTemporary(status);
    const hint =
      status === 401 || status === 403
        ? "Check `headers` or `auth`, and that the caller may read at least one collection; a cap-cert's `paths` must cover the feed's own path."
        : status === 404
          ? "Check that `url` names the feed's route, and that the primary has mounted it."
          : undefined;
    return new ReplicaError(
      busy ? "PRIMARY_UNAVAILABLE" : "PRIMARY_REFUSED",
      `${describeUrl(url)} answered ${status}`,
      {
        status,
        retryable: busy,
        ...(retryAfterMs !== null && { retryAfterMs }),
        ...(hint !== undefined && { hint }),
      },
    );
  },
  redirected: (from: string, what: string, status: number): ReplicaError =>
    new ReplicaError("PRIMARY_REDIRECTED", `${describeUrl(from)} redirects ${what}`, {
      status,
      hint: "If the primary moved there, set `url` to it.",
    }),
  invalid: (url: string, what: string): ReplicaError =>
    new ReplicaError("ANSWER_INVALID", `${describeUrl(url)} ${what}`, {
      hint: "Check that `url` names a primary's change feed.",
    }),
  tooLarge: (url: string, maxEventLength: number): ReplicaError =>
    new ReplicaError("ANSWER_TOO_LARGE", `${describeUrl(url)} sent an event of more than ${maxEventLength} characters`),
} as const;

function describe(error: unknown): string {
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error));
}
