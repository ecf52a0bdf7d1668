/** One signing key, imported once and used many times. Its secret cannot be read back. */
export interface SigningKey {
  /** The 32-byte Ed25519 public key. */
  readonly publicKey: Uint8Array;
  /** The 64-byte signature of RFC 8032: the same bytes for the same message, always. */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * The curve arithmetic that Starfish identities need. Both implementations give the same bytes; only the speed differs.
 * Every argument and answer is raw bytes: seeds, private and public keys 32, signatures 64.
 */
export interface Ed25519 {
  readonly kind: "native" | "noble";
  /** Imports a 32-byte seed (RFC 8032's "private key"). Throws on any other length. */
  importSeed(seed: Uint8Array): SigningKey;
  /** Whether `signature` is `publicKey`'s over `message`. False, never an error, on malformed input. */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  /** The X25519 public key (RFC 7748) of a 32-byte private key. Throws on any other length. */
  x25519PublicKey(privateKey: Uint8Array): Uint8Array;
}
