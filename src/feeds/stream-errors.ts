import { ReplicaError } from "../errors.js";

/** A URL as errors may show it: without credentials, query values and fragment. */
export function describeStreamUrl(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** What went wrong with a stream of changes, each in the catalogue's words. */
export const streamErrors = {
  /** Translates whatever an HTTP client threw before the answer's head. */
  unreachable(error: unknown, url: string): ReplicaError {
    if (error instanceof ReplicaError) return error;
    return new ReplicaError("PRIMARY_UNREACHABLE", `${describeStreamUrl(url)} cannot be reached: ${describe(error)}`, {
      retryable: true,
      cause: error,
      hint: "Check that the primary is running and that `url` names its change feed.",
    });
  },
  /** The same for after it. */
  broken(error: unknown, url: string): ReplicaError {
    if (error instanceof ReplicaError) return error;
    return new ReplicaError(
      "PRIMARY_UNREACHABLE",
      `${describeStreamUrl(url)} broke off its stream: ${describe(error)}`,
      {
        retryable: true,
        cause: error,
      },
    );
  },
  endedEmpty: (url: string): ReplicaError =>
    new ReplicaError("PRIMARY_UNREACHABLE", `${describeStreamUrl(url)} ended its stream before it said anything`, {
      retryable: true,
    }),
  silent: (url: string, ms: number): ReplicaError =>
    new ReplicaError("PRIMARY_TIMEOUT", `${describeStreamUrl(url)} has been silent for ${ms} ms`, { retryable: true }),
  refused(url: string, status: number, retryAfterMs: number | null): ReplicaError {
    const busy = status === 408 || status === 425 || status === 429 || status >= 500;
    const hint =
      status === 401 || status === 403
        ? "Check `headers` or `auth`, and that the caller may read at least one collection; a cap-cert's `paths` must cover the feed's own path."
        : status === 404
          ? "Check that `url` names the feed's route, and that the primary has mounted it."
          : undefined;
    return new ReplicaError(
      busy ? "PRIMARY_UNAVAILABLE" : "PRIMARY_REFUSED",
      `${describeStreamUrl(url)} answered ${status}`,
      {
        status,
        retryable: busy,
        ...(retryAfterMs !== null && { retryAfterMs }),
        ...(hint !== undefined && { hint }),
      },
    );
  },
  redirected: (from: string, what: string, status: number): ReplicaError =>
    new ReplicaError("PRIMARY_REDIRECTED", `${describeStreamUrl(from)} redirects ${what}`, {
      status,
      hint: "If the primary moved there, set `url` to it.",
    }),
  invalid: (url: string, what: string): ReplicaError =>
    new ReplicaError("ANSWER_INVALID", `${describeStreamUrl(url)} ${what}`, {
      hint: "Check that `url` names a primary's change feed.",
    }),
  tooLarge: (url: string, maxEventLength: number): ReplicaError =>
    new ReplicaError(
      "ANSWER_TOO_LARGE",
      `${describeStreamUrl(url)} sent an event of more than ${maxEventLength} characters`,
    ),
} as const;

function describe(error: unknown): string {
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error));
}

/** The `code` of the error or of what caused it: HTTP clients wrap, and a name with several addresses gives an aggregate. */
function systemCode(error: unknown, depth = 0): string | null {
  if (typeof error !== "object" || error === null || depth > 4) return null;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === "string") return code;
  return systemCode(cause ?? (Array.isArray(errors) ? errors[0] : undefined), depth + 1);
}
