import type { DocumentContent } from "../modes/document-content.js";
import type { AuthorProof } from "../protocol/author-proof.js";
import type { JsonObject } from "../protocol/json-object.js";
import type { DeadLetter } from "./dead-letter.js";
import type { MergeIntent } from "./merge-intent.js";

/** The primary's document that the local one was merged with, and the two hashes that belong to it. */
export interface Base {
  readonly data: JsonObject;
  /** The primary's hash of it: the next `If-None-Match`, and the `baseHash` of the next push. */
  readonly remoteHash: string;
  /** Hash of the local document right after the merge. */
  readonly localHash: string;
  /** The primary left fields out for us. */
  readonly filtered: boolean;
  /** The primary's proof of it. */
  readonly proof: AuthorProof | null;
}

/** What we remember about one collection. */
export interface BaseRecord {
  readonly base: Base | null;
  readonly intent: MergeIntent | null;
  /** Pushes on this base that may have reached the primary: their answers did not reach us. */
  readonly sent: readonly DocumentContent[];
  readonly deadLetter: DeadLetter | null;
  /** Hash of a local document that the operator decided not to send. */
  readonly dropped: string | null;
  /** A mode that replaces has written the local document since: it is the primary's own, and the rest says nothing about it. */
  readonly replaced: boolean;
}

export const EMPTY_RECORD: BaseRecord = {
  base: null,
  intent: null,
  sent: [],
  deadLetter: null,
  dropped: null,
  replaced: false,
};
