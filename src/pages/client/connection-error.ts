import { ReplicaError } from "../../errors.js";
import { describeUrl } from "../../http/describe-url.js";
import { systemCode } from "../../http/system-code.js";
import { printable } from "./refused-upgrade.js";

/** What the address of a server may be mistaken in, by the system's code. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "Nothing listens there: check host and port, and that the server runs."],
  ["ENOTFOUND", "No such name: check the host in the URL."],
  ["EAI_AGAIN", "The name could not be looked up: check the network."],
  ["EPROTO", "The server does not speak TLS there: should the URL begin with http:?"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "Where you trust it, name its certificate in NODE_EXTRA_CA_CERTS."],
  ["SELF_SIGNED_CERT_IN_CHAIN", "Where you trust it, name its certificate authority in NODE_EXTRA_CA_CERTS."],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "Where you trust it, name its certificate authority in NODE_EXTRA_CA_CERTS."],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "The certificate is for another name: check the host in the URL."],
  ["CERT_HAS_EXPIRED", "The server's certificate has expired."],
]);

/** An error of the WebSocket library or of the system, before the connection was open or after. */
export function mapConnectionError(error: unknown, url: string, open: boolean): ReplicaError {
  const code = systemCode(error);
  const reason = error instanceof Error ? printable(error.message || (code ?? "")) : String(error);
  const at = describeUrl(url);
  // The library's own codes: bytes that are no WebSocket frame, or too many of them.
  if (code?.startsWith("WS_ERR_")) {
    return new ReplicaError("PAGE_PROTOCOL", `What the page server at ${at} sent is not its protocol: ${reason}`, {
      cause: error,
    });
  }
  if (code === null && !open) {
    if (/timed out/.test(reason)) return silent(url, "did not answer in time");
    return new ReplicaError("SYNC_REFUSED", `What answers at ${at} is no page server: ${reason}`, {
      hint: "Check the URL: /sync is added to it.",
      cause: error,
    });
  }
  const what = open
    ? `The connection to the page server at ${at} broke off`
    : `The page server at ${at} cannot be reached`;
  const hint = code === null ? undefined : HINTS.get(code);
  return new ReplicaError("SYNC_UNREACHABLE", `${what}: ${reason}`, {
    retryable: true,
    ...(hint !== undefined && { hint }),
    cause: error,
  });
}

/** A connection that ended before the sync did. */
export function closedEarly(url: string, code: number, reason: string): ReplicaError {
  const said = printable(reason);
  const at = describeUrl(url);
  // 1002 and above, but for those that only tell of a restart or of no frame at all: the server has decided this.
  // https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
  if ([1002, 1003, 1007, 1008, 1009, 1010].includes(code)) {
    const words = said === "" ? "" : `: ${said}`;
    return new ReplicaError("SYNC_REFUSED", `The page server at ${at} ended the sync (${code})${words}`);
  }
  return new ReplicaError(
    "SYNC_UNREACHABLE",
    `The connection to the page server at ${at} broke off (${code}${said === "" ? "" : `, ${said}`})`,
    { retryable: true, hint: "Run it again: what has arrived is not sent twice." },
  );
}

/** A server that is given up. @param what `did not answer in time` */
export function silent(url: string, what: string): ReplicaError {
  return new ReplicaError("SYNC_UNREACHABLE", `The page server at ${describeUrl(url)} ${what}`, { retryable: true });
}
