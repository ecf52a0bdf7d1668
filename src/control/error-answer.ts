import { ReplicaError, type ReplicaErrorCode } from "../errors.js";
import { RouteError } from "./route-error.js";

/** Statuses of errors that a caller of a route may meet; what is not here is our own mistake. */
const STATUSES: Readonly<Partial<Record<ReplicaErrorCode, number>>> = {
  INVALID_TASK: 400,
  QUERY_REFUSED: 400,
  QUERY_FAILED: 400,
  UNKNOWN_TASK: 404,
  TARGET_TAKEN: 409,
  INVALID_EXPORT: 400,
  CALLBACK_REFUSED: 400,
  UNKNOWN_JOB: 404,
  JOB_UNFINISHED: 409,
  JOB_FAILED: 409,
  ARTIFACT_MISSING: 410,
  ARTIFACT_STORE: 502,
  EXPORT_BUSY: 503,
  SNAPSHOT_UNSTEADY: 503,
  DISK_LIMIT: 507,
  SOURCE_UNREACHABLE: 502,
  SOURCE_REFUSED: 502,
  SOURCE_FAILED: 502,
  TABLE_MISSING: 502,
  UNMAPPABLE_TYPE: 502,
  TOO_MANY_TIES: 502,
  RUN_TIMEOUT: 504,
  // Not 408, which says that the request was late and makes some clients send it again.
  QUERY_TIMEOUT: 504,
  MISSING_DRIVER: 503,
  LOCAL_DATABASE: 503,
  WORKER_FAILED: 503,
  STOPPED: 503,
};

/** Seconds after which a caller may try again, where the error does not say. */
const RETRY_AFTER_SECONDS: Readonly<Partial<Record<ReplicaErrorCode, number>>> = {
  EXPORT_BUSY: 10,
  SNAPSHOT_UNSTEADY: 60,
};

/** Turns anything that was thrown into the answer: `{ error, code }`, the error with its hint. */
export function errorAnswer(thrown: unknown): RouteError {
  if (thrown instanceof RouteError) return thrown;
  const status = thrown instanceof ReplicaError ? STATUSES[thrown.code] : undefined;
  if (thrown instanceof ReplicaError && status !== undefined) {
    return new RouteError(status, thrown.code, errorText(thrown), { headers: retryAfter(thrown) });
  }
  process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown)));
  return new RouteError(
    500,
    "INTERNAL",
    "Something went wrong here that no request can mend: see the server's warnings",
  );
}

function retryAfter({ code, retryAfterMs }: ReplicaError): Record<string, string> {
  const seconds = retryAfterMs === undefined ? RETRY_AFTER_SECONDS[code] : Math.ceil(retryAfterMs / 1_000);
  return seconds === undefined ? {} : { "Retry-After": String(seconds) };
}

/** What, and how to mend it. */
export function errorText({ message, hint }: Pick<ReplicaError, "message" | "hint">): string {
  if (hint === undefined) return message;
  return `${message}${/[.!?:]$/.test(message) ? "" : "."} ${hint}`;
}
