import { isJsonObject } from "../protocol/json-object.js";
import { CAP_SCHEME } from "../protocol/wire.js";

/** When the cap-cert of a request that was let in ends, in Unix milliseconds; `Infinity` where there is none. Verifies nothing. */
export function capExpiryMs(authorization: string | undefined): number {
  if (authorization?.startsWith(CAP_SCHEME) !== true) return Number.POSITIVE_INFINITY;
  try {
    const cap: unknown = JSON.parse(Buffer.from(authorization.slice(CAP_SCHEME.length), "base64").toString("utf8"));
    if (isJsonObject(cap) && typeof cap.exp === "number") return cap.exp * 1_000;
  } catch {
    // Whoever let it in reads it another way.
  }
  return Number.POSITIVE_INFINITY;
}
