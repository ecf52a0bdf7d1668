import type { DocumentContent } from "./document-content.js";
import type { MergeRule } from "./merge-rule.js";
import type { MergeOptions } from "./three-way-merge.js";

export interface ReconcileInput extends MergeOptions {
  /** `null`: there is no local document, or it is corrupt. */
  readonly local: DocumentContent | null;
  /** The primary's document, sanitised. Its `hash` is the primary's own, also where the data was filtered for us. */
  readonly remote: DocumentContent;
  /** The primary's document that the local one was last merged with, or that is known to be a push of ours. */
  readonly base: DocumentContent["data"] | null;
  /** The collection's own rule. Default: the three-way merge. */
  readonly rule?: MergeRule;
}

/**
 * What the local document must become; `null` when it is right as it is.
 * @throws MERGE_FAILED where the collection's own rule fails
 */
export type Reconcile = (input: ReconcileInput) => DocumentContent | null;
