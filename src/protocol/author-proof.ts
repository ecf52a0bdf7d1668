import type { JsonObject } from "./json-object.js";

/** The writer's proof over a document. Who copies the document copies it, or readers can no longer check it. */
export interface AuthorProof {
  readonly pubkey: string;
  readonly signature: string;
}

/** Reads the two fields as they stand in answers, pushes and stored documents. `null`: there is none; `undefined`: half a one, or nonsense. */
export function parseAuthorProof({ authorPubkey, authorSignature }: JsonObject): AuthorProof | null | undefined {
  if (authorPubkey == null && authorSignature == null) return null;
  if (typeof authorPubkey !== "string" || typeof authorSignature !== "string") return undefined;
  return { pubkey: authorPubkey, signature: authorSignature };
}

/** The two fields of a proof; nothing for none. */
export function authorFields(proof: AuthorProof | null): { authorPubkey?: string; authorSignature?: string } {
  return proof ? { authorPubkey: proof.pubkey, authorSignature: proof.signature } : {};
}
