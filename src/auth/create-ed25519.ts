import type { Ed25519 } from "./ed25519.js";
import { createNativeEd25519 } from "./native-ed25519.js";
import { createNobleEd25519 } from "./noble-ed25519.js";

let chosen: Promise<Ed25519> | undefined;

async function choose(): Promise<Ed25519> {
  try {
    const native = createNativeEd25519();
    const key = native.importSeed(new Uint8Array(32));
    native.x25519PublicKey(new Uint8Array(32).fill(1));
    const message = new Uint8Array(1);
    if (native.verify(key.sign(message), message, key.publicKey)) return native;
  } catch {
    // Not there, or switched off (an OpenSSL in FIPS mode): the JavaScript one does it all.
  }
  return createNobleEd25519();
}

/**
 * The curve arithmetic by name, or, without one, the platform's own where a trial signature succeeds and
 * `@noble/ed25519` elsewhere. The trial is made once for the process.
 */
export function createEd25519(kind?: Ed25519["kind"]): Promise<Ed25519> {
  if (kind === "native") return Promise.resolve(createNativeEd25519());
  if (kind === "noble") return createNobleEd25519();
  chosen ??= choose();
  return chosen;
}
