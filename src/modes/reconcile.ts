import type { JsonObject } from "../protocol/json-object.js";
import type { DocumentContent } from "./document-content.js";

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
