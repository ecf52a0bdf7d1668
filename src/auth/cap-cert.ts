import { canonicalJson } from "../protocol/canonical-json.js";
import { CAP_SCHEME } from "../protocol/wire.js";
import type { CapScope } from "./cap-scope.js";

/**
 * A signed capability certificate, as in starfish-protocol. A replica presents kind `device`: whoever holds the key
 * `sub` acts for `issUserId` within `scope`. Keys are lowercase hex, `nbf` and `exp` Unix seconds, `nonce` and `sig`
 * base64.
 */
export interface CapCert {
  v: 1;
  kind: "device" | "member" | "audience";
  iss: string;
  issUserId: string;
  sub?: string;
  subKem?: string;
  subUserId?: string;
  scope: CapScope;
  aud?: string[];
  nbf: number;
  exp: number;
  nonce: string;
  sig: string;
}

/** The bytes that a cap-cert's `sig` signs: a domain tag and the canonical JSON of everything else. */
export function capSigningInput(cert: CapCert | Omit<CapCert, "sig">): Uint8Array {
  const { sig: _, ...unsigned } = cert as CapCert;
  return Buffer.from(`starfish-capcert-v1\n${canonicalJson(unsigned)}`);
}

/** The value of the `Authorization` header that presents this cap-cert. */
export function capAuthorization(cert: CapCert): string {
  return CAP_SCHEME + Buffer.from(canonicalJson(cert)).toString("base64");
}
