import { ResponseBodyError } from "oauth4webapi";
import { ReplicaError } from "../../errors.js";

/** What a user can do about it is to log in again. GitHub has names of its own. */
const SPENT_CODE = new Set(["invalid_grant", "bad_verification_code"]);
/** What `fetch` says where there is no connection, and where one breaks off. */
const FETCH_FAILED = new Set(["fetch failed", "terminated"]);
const AGAIN = "Begin again with `starfish-replica oauth start`";

/** Whatever went wrong between us and a provider, as `OAUTH_FAILED`. What only the operator can mend keeps its `cause`. */
export function mapOAuthError(error: unknown, title: string): ReplicaError {
  if (error instanceof ReplicaError) return error;
  if (isUnreachable(error)) return failed(`${title} gives no answer`, { cause: error, retryable: true });
  const refusal = refusalOf(error);
  if (refusal !== null && SPENT_CODE.has(refusal)) {
    return failed(`${title} does not accept the code: it was used already, is too old, or belongs to another login`);
  }
  if (refusal !== null) return failed(`${title} refused the login with ${refusal}`, { cause: bare(error) });
  return failed(`${title} gave an answer that cannot be used`, { cause: bare(error) });
}

/** Without what the provider sent: there may be tokens in it. */
function bare(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : String(error));
}

function failed(what: string, options: { cause?: unknown; retryable?: boolean } = {}): ReplicaError {
  return new ReplicaError("OAUTH_FAILED", what, { hint: AGAIN, ...options });
}

/** The OAuth error code in the provider's answer. GitHub sends it with status 200. */
function refusalOf(error: unknown): string | null {
  const body: unknown =
    error instanceof ResponseBodyError
      ? error.cause
      : error instanceof Error && typeof error.cause === "object" && error.cause !== null && "body" in error.cause
        ? error.cause.body
        : null;
  if (typeof body !== "object" || body === null || !("error" in body)) return null;
  return typeof body.error === "string" && /^[\w.-]{1,64}$/.test(body.error) ? body.error : null;
}

/** 5xx is as good as no answer. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "TimeoutError" || (error.name === "TypeError" && FETCH_FAILED.has(error.message))) return true;
  const status = Math.max(statusOf(error), statusOf(error.cause));
  return status >= 500 || status === 429;
}

/** Not by `instanceof`: `@hono/node-server` puts a `Response` of its own in the place of the one that `fetch` makes. */
function statusOf(value: unknown): number {
  const status = typeof value === "object" && value !== null && "status" in value ? value.status : 0;
  return typeof status === "number" ? status : 0;
}
