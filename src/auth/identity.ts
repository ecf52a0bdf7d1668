import { createHash, hkdfSync } from "node:crypto";
import { ReplicaError } from "../errors.js";
import { argon2id } from "./argon2id.js";
import type { Ed25519 } from "./ed25519.js";

/** A root identity. Keys are 64 lowercase hex characters, as they travel. */
export interface Identity {
  /** The first 32 hex characters of SHA-256 over the Ed25519 public key. */
  readonly userId: string;
  readonly edPriv: string;
  readonly edPub: string;
  readonly kemPriv: string;
  readonly kemPub: string;
}

function expand(master: Uint8Array, salt: string, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", master, salt, info, 32));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The Starfish `userId` of a 32-byte Ed25519 public key. */
export function userIdOf(publicKey: Uint8Array): string {
  return createHash("sha256").update(publicKey).digest("hex").slice(0, 32);
}

/**
 * The root identity that Starfish derives from a passphrase: Argon2id off the event loop, then HKDF-SHA256 to an
 * Ed25519 seed and an X25519 key. The same passphrase always gives the same identity, however a keyboard composed its
 * accents: it is brought to Unicode's NFC first and otherwise taken as it is, white space included (so does
 * starfish-identities, found by asking it). Throws `INVALID_CREDENTIALS` on a passphrase that is empty or only white
 * space, and when the derivation itself fails.
 */
export async function deriveIdentity(passphrase: string, ed25519: Ed25519): Promise<Identity> {
  if (passphrase.trim() === "") {
    throw new ReplicaError("INVALID_CREDENTIALS", "`passphrase` is empty or only white space", {
      hint: "Check that the variable or file that it is read from is set.",
    });
  }
  const master = await argon2id(new TextEncoder().encode(passphrase.normalize("NFC")));
  const seed = expand(master, "starfish-root-sign", "ed25519");
  const kemPriv = expand(master, "starfish-root-kem", "x25519");
  master.fill(0);
  const { publicKey } = ed25519.importSeed(seed);
  return {
    userId: userIdOf(publicKey),
    edPriv: hex(seed),
    edPub: hex(publicKey),
    kemPriv: hex(kemPriv),
    kemPub: hex(ed25519.x25519PublicKey(kemPriv)),
  };
}
