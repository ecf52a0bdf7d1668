import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Ed25519 } from "./ed25519.js";

/** What stands before the 32 key bytes in PKCS #8 and SubjectPublicKeyInfo (RFC 8410, sections 4 and 7). */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");

function importPrivateKey(prefix: Uint8Array, key: Uint8Array): KeyObject {
  if (key.length !== 32) throw new TypeError("a private key must have 32 bytes");
  const der = Buffer.concat([prefix, key]);
  try {
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } finally {
    der.fill(0);
  }
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(der.length - 32));
}

/** Ed25519 and X25519 of the platform's OpenSSL. Throws on first use where that was built without them. */
export function createNativeEd25519(): Ed25519 {
  return {
    kind: "native",
    importSeed(seed) {
      const key = importPrivateKey(PKCS8_ED25519, seed);
      return { publicKey: rawPublicKey(key), sign: (message) => sign(null, message, key) };
    },
    verify(signature, message, publicKey) {
      try {
        const key = createPublicKey({ key: Buffer.concat([SPKI_ED25519, publicKey]), format: "der", type: "spki" });
        return verify(null, message, key, signature);
      } catch {
        return false;
      }
    },
    x25519PublicKey: (privateKey) => rawPublicKey(importPrivateKey(PKCS8_X25519, privateKey)),
  };
}
