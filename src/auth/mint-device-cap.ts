import { randomBytes } from "node:crypto";
import { type CapCert, capSigningInput } from "./cap-cert.js";
import type { CapScope } from "./cap-scope.js";
import type { SigningKey } from "./ed25519.js";
import { userIdOf } from "./identity.js";

/** How long a minted cap-cert is valid, in seconds: 30 days, as starfish-identities has it. */
export const CAP_LIFETIME_SEC: number = 30 * 24 * 60 * 60;

export interface MintOptions {
  /** The key that signs, and that the cap-cert is for. */
  readonly key: SigningKey;
  /** The X25519 public key of the same identity, 64 hex characters. */
  readonly kemPub: string;
  readonly scope: CapScope;
  /** Valid from, in Unix seconds. */
  readonly nbf: number;
  /** 16 bytes. Fresh random ones unless given. */
  readonly nonce?: Uint8Array;
}

/**
 * A device cap-cert that an identity signs for itself, valid {@link CAP_LIFETIME_SEC} from `nbf`. With the same `nbf`
 * and `nonce` it is byte for byte what `mintDeviceCap` of starfish-identities gives.
 */
export function mintDeviceCap({ key, kemPub, scope, nbf, nonce = randomBytes(16) }: MintOptions): CapCert {
  const publicKey = Buffer.from(key.publicKey).toString("hex");
  const unsigned: Omit<CapCert, "sig"> = {
    v: 1,
    kind: "device",
    iss: publicKey,
    issUserId: userIdOf(key.publicKey),
    sub: publicKey,
    subKem: kemPub,
    scope,
    nbf,
    exp: nbf + CAP_LIFETIME_SEC,
    nonce: Buffer.from(nonce).toString("base64"),
  };
  return { ...unsigned, sig: Buffer.from(key.sign(capSigningInput(unsigned))).toString("base64") };
}
