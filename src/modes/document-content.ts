import type { JsonObject } from "../protocol/json-object.js";

/** The writer's proof over a document. Who copies the document copies it, or readers can no longer check it. */
export interface AuthorProof {
  readonly pubkey: string;
  readonly signature: string;
}

/** A document's content, with the hash that it is stored and served under. */
export interface DocumentContent {
  readonly data: JsonObject;
  readonly hash: string;
  readonly proof: AuthorProof | null;
}
