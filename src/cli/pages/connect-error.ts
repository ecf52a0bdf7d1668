import { Code, ConnectError } from "@connectrpc/connect";
import { describeUrl } from "../../http/describe-url.js";
import { ErrorInfoSchema } from "../../pages/admin/gen/google/rpc/error_details_pb.js";
import { CliError } from "../cli-error.js";
import { connectionError, notOurs } from "../control/answer-error.js";
import { printable } from "../printable.js";

/** For a server of another make, which does not say why in `ErrorInfo`. */
const CODES: Readonly<Partial<Record<Code, string>>> = {
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.NotFound]: "NOT_FOUND",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.ResourceExhausted]: "RATE_LIMITED",
};

const TEMPORARY: readonly Code[] = [Code.Unavailable, Code.DeadlineExceeded, Code.ResourceExhausted, Code.Aborted];

/** What an admin call failed with, for whoever typed the command. Anything else is handed back. */
export function explainConnectError(error: unknown, server: string): unknown {
  if (!(error instanceof ConnectError)) return error;
  const { code, rawMessage } = error;
  const cause = error.cause;
  if (code === Code.Unavailable || code === Code.Unknown || code === Code.Aborted || code === Code.Internal) {
    const broken = cause instanceof Error ? cause : error;
    if ("code" in broken && typeof broken.code === "string") return connectionError(broken, server);
  }
  const said = printable(rawMessage) || "nothing";
  if (code === Code.Unimplemented) {
    // A server that is none of this kind answers 404, which the protocol reads so.
    if (/^HTTP 404|not found/i.test(said) || said === "nothing") {
      return new CliError("NOT_OURS", `there is no page server at ${describeUrl(server)}`, {
        hint: "Is --server right, and does that server have pages switched on?",
      });
    }
    return new CliError("UNIMPLEMENTED", said);
  }
  const name = error.findDetails(ErrorInfoSchema)[0]?.reason || CODES[code];
  if (name !== undefined) return new CliError(name, said, { retryable: TEMPORARY.includes(code), cause: error });
  if (code === Code.Unknown || code === Code.Internal) {
    return /^HTTP \d/.test(said) ? notOurs(server, said) : new CliError("SERVER_FAILED", `the server failed: ${said}`);
  }
  return new CliError("SERVER_FAILED", said, { retryable: TEMPORARY.includes(code), cause: error });
}

/** Whether the server does not accept what it was shown, be it a password or a login. */
export function isUnauthenticated(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}
