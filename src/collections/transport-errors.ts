import { ReplicaError } from "../errors.js";
import { describeUrl } from "../http/describe-url.js";
import { systemCode } from "../http/system-code.js";

/** Failures before the first byte of the request went out. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Translates whatever the HTTP client threw. */
export function mapTransportError(error: unknown, url: string): ReplicaError {
  if (error instanceof ReplicaError) return error;
  const code = systemCode(error);
  if (code?.startsWith("Z_")) {
    return new ReplicaError(
      "ANSWER_INVALID",
      `${describeUrl(url)} answered with a body that cannot be decompressed: ${code}`,
      {
        retryable: true,
        cause: error,
      },
    );
  }
  const detail = code ?? (error instanceof Error ? error.message : String(error));
  return new ReplicaError("PRIMARY_UNREACHABLE", `${describeUrl(url)} cannot be reached: ${detail}`, {
    retryable: true,
    cause: error,
    hint: "Check that the primary is running and that `url` names it.",
  });
}

/** Whether a failed request certainly did not reach the primary, so that it may be sent again. */
export function wasNeverSent(error: unknown): boolean {
  const code = systemCode(error);
  return code !== null && NEVER_SENT.has(code);
}

export function requestTimedOut(timeoutMs: number, url: string): ReplicaError {
  return new ReplicaError("PRIMARY_TIMEOUT", `${describeUrl(url)} did not answer in full within ${timeoutMs} ms`, {
    retryable: true,
    hint: "Raise requestTimeoutMs if the primary is known to be slow.",
  });
}
