import { createHash } from "node:crypto";
import type { Ed25519 } from "./ed25519.js";

type Noble = typeof import("@noble/ed25519");

/** Clamps an X25519 private key to a scalar (RFC 7748, section 5, `decodeScalar25519`). */
function clampedScalar(privateKey: Uint8Array): bigint {
  if (privateKey.length !== 32) throw new TypeError("a private key must have 32 bytes");
  const bytes = Uint8Array.from(privateKey);
  bytes[0] = (bytes[0] ?? 0) & 248;
  bytes[31] = ((bytes[31] ?? 0) & 127) | 64;
  return BigInt(`0x${Buffer.from(bytes.reverse()).toString("hex")}`);
}

/**
 * The Montgomery u-coordinate of `scalar` times the base point, by way of the Edwards curve: u = (1 + y) / (1 - y) (RFC
 * 7748, section 4.1). A clamped scalar is below eight times the group's order and a multiple of eight, so it is never
 * zero modulo the order.
 */
function montgomeryU({ Point, etc }: Noble, scalar: bigint): Uint8Array {
  const { n, p } = Point.CURVE();
  const { y } = Point.BASE.multiply(etc.mod(scalar, n)).toAffine();
  const u = etc.mod((1n + y) * etc.invert(etc.mod(1n - y, p), p), p);
  return new Uint8Array(Buffer.from(u.toString(16).padStart(64, "0"), "hex").reverse());
}

/** Ed25519 and X25519 in JavaScript, for a platform whose crypto has neither. Loads `@noble/ed25519` when called. */
export async function createNobleEd25519(): Promise<Ed25519> {
  const noble = await import("@noble/ed25519");
  // Noble's synchronous half asks its user for a SHA-512; another user of the same copy may have given one already.
  noble.hashes.sha512 ??= (message) => new Uint8Array(createHash("sha512").update(message).digest());
  return {
    kind: "noble",
    importSeed(seed) {
      const secret = Uint8Array.from(seed);
      return { publicKey: noble.getPublicKey(secret), sign: (message) => noble.sign(message, secret) };
    },
    verify(signature, message, publicKey) {
      try {
        return noble.verify(signature, message, publicKey, { zip215: false });
      } catch {
        return false;
      }
    },
    x25519PublicKey: (privateKey) => montgomeryU(noble, clampedScalar(privateKey)),
  };
}
