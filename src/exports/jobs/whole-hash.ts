import { createHash } from "node:crypto";
import { createSHA256 } from "hash-wasm";

/** The SHA-256 of a file that is made in several lives. */
export interface WholeHash {
  update(bytes: Uint8Array): void;
  /** What `loadWholeHash` goes on from. `null` where the bytes have to be given again. */
  save(): Uint8Array | null;
  /** Lowercase hex. Once. */
  digest(): string;
}

/** Of nothing yet. Node's own is several times as fast, but cannot be kept. */
export function createWholeHash(): WholeHash {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), save: () => null, digest: () => hash.digest("hex") };
}

/**
 * One that can be kept, from where it was kept or from nothing.
 * @returns `null` where the state is not one of this build of hash-wasm
 */
export async function loadWholeHash(state: Uint8Array | null): Promise<WholeHash | null> {
  const hash = await createSHA256();
  hash.init();
  try {
    if (state !== null) hash.load(new Uint8Array(state));
  } catch {
    return null;
  }
  return { update: (bytes) => void hash.update(bytes), save: () => hash.save().slice(), digest: () => hash.digest() };
}
