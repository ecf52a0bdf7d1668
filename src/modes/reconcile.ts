import { documentHash } from "../protocol/canonical-json.js";
import { type JsonObject, mergeThreeWay } from "./three-way-merge.js";

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

export interface ReconcileInput {
  /** `null`: there is no local document, or it is corrupt. */
  readonly local: DocumentContent | null;
  /** The primary's document, sanitised. Its `hash` is the primary's own, also where the data was filtered for us. */
  readonly remote: DocumentContent;
  /** The primary's document that the local one was last merged with. */
  readonly base: JsonObject | null;
}

/** What the local document must become; `null` when it is right as it is. Pure: the same input gives the same answer. */
export type Reconcile = (input: ReconcileInput) => DocumentContent | null;

/** The local document becomes the primary's, under the primary's hash. */
export const replace: Reconcile = ({ local, remote }) => (local?.hash === remote.hash ? null : remote);

/** Both sides' changes since the base; see {@link mergeThreeWay}. The primary's proof stays where its document won as a whole. */
export const merge: Reconcile = ({ local, remote, base }) => {
  if (!local) return remote;
  const data = mergeThreeWay({ base, local: local.data, remote: remote.data });
  const hash = documentHash(data);
  if (hash === documentHash(remote.data)) return local.hash === remote.hash ? null : remote;
  if (hash === documentHash(local.data)) return null;
  return { data, hash, proof: null };
};
