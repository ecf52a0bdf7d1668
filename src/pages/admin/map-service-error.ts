import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ReplicaError, type ReplicaErrorCode } from "../../errors.js";
import { ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/** `domain` of the `google.rpc.ErrorInfo` that goes with each error of ours; its `reason` is the code of the catalogue. */
const ERROR_DOMAIN = "starfish-replica";

/** Errors that are for the caller to read. All others are the server's own business. */
const CODES: Partial<Record<ReplicaErrorCode, Code>> = {
  INVALID_ACCOUNT: Code.InvalidArgument,
  INVALID_TOKEN: Code.Unauthenticated,
  UNAUTHENTICATED: Code.Unauthenticated,
  SIGNUP_CLOSED: Code.PermissionDenied,
  NAME_TAKEN: Code.AlreadyExists,
  UNKNOWN_DATABASE: Code.NotFound,
  NOT_CONFIGURED: Code.Unimplemented,
  OAUTH_FAILED: Code.Unauthenticated,
  RATE_LIMITED: Code.ResourceExhausted,
  QUOTA_EXCEEDED: Code.ResourceExhausted,
  STOPPED: Code.Unavailable,
};

/**
 * What a caller of the admin service is told. Errors that are for callers keep their sentence and hint, with `google.rpc.ErrorInfo`, and `google.rpc.RetryInfo`
 * and `Retry-After` where it is known when to try again. Anything else is told to `onError`, and to the caller only that it happened.
 */
export function mapServiceError(error: unknown, onError: (error: unknown) => void): ConnectError {
  if (error instanceof ConnectError) return error;
  const code = error instanceof ReplicaError ? CODES[error.code] : undefined;
  if (!(error instanceof ReplicaError) || code === undefined) {
    onError(error);
    return new ConnectError("The server failed; whoever runs it has been told why", Code.Internal);
  }
  // What a provider answered is the operator's business as well: it may be the client id that is wrong.
  if (error.code === "OAUTH_FAILED" && error.cause !== undefined) onError(error);
  return new ConnectError(
    error.hint === undefined ? error.message : `${error.message.replace(/\.$/, "")}. ${error.hint}`,
    error.code === "OAUTH_FAILED" && error.retryable ? Code.Unavailable : code,
    retryHeader(error),
    details(error),
  );
}

function retryHeader({ retryAfterMs }: ReplicaError): Record<string, string> {
  return retryAfterMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfterMs / 1_000)) };
}

function details({ code, retryAfterMs }: ReplicaError): { desc: DescMessage; value: Message }[] {
  const info = { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason: code, domain: ERROR_DOMAIN }) };
  if (retryAfterMs === undefined) return [info];
  const retryDelay = durationFromMs(Math.ceil(retryAfterMs));
  return [info, { desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay }) }];
}
