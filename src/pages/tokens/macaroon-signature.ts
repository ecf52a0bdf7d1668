import { createHmac, timingSafeEqual } from "node:crypto";
import type { Macaroon } from "./macaroon.js";

/** The signature of an identifier and caveats, as libmacaroons and all that follow it compute it. */
export function signMacaroon(
  key: Uint8Array,
  { identifier, caveats }: Pick<Macaroon, "identifier" | "caveats">,
): Uint8Array {
  const rootKey = hmac(Buffer.from("macaroons-key-generator"), key);
  return caveats.reduce((signature, caveat) => hmac(signature, caveat), hmac(rootKey, identifier));
}

/** Whether one of the keys has signed it. How long that takes does not depend on which, or on how nearly. */
export function isSignedBy(keys: readonly Uint8Array[], macaroon: Macaroon): boolean {
  let isSigned = false;
  for (const key of keys) {
    if (timingSafeEqual(signMacaroon(key, macaroon), macaroon.signature)) isSigned = true;
  }
  return isSigned;
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(data).digest();
}
