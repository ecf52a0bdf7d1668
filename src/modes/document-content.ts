import type { AuthorProof } from "../protocol/author-proof.js";
import type { JsonObject } from "../protocol/json-object.js";

/** A document's content, with the hash that it is stored and served under. */
export interface DocumentContent {
  readonly data: JsonObject;
  readonly hash: string;
  readonly proof: AuthorProof | null;
}
