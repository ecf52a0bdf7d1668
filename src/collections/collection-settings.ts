import type { MergeRule } from "../modes/merge-rule.js";
import type { WriteModePolicy } from "../modes/write-mode-policy.js";

/** One replicated collection, its configuration checked and its defaults filled in. */
export interface CollectionSettings {
  /** Name of the channel: `collection`, or `namespace/collection`. */
  readonly name: string;
  readonly collection: string;
  readonly namespace: string | null;
  /** Key of the document in the local store. */
  readonly documentKey: string;
  /** Key of our own record about it. */
  readonly stateKey: string;
  readonly policy: WriteModePolicy;
  readonly pullUrl: string;
  readonly pushUrl: string | null;
  /** Sent with every request to the primary. */
  readonly headers: Readonly<Record<string, string>>;
  readonly requestTimeoutMs: number;
  readonly maxDocumentBytes: number;
  /** The collection's own merge, or `null` for the three-way merge. */
  readonly mergeRule: MergeRule | null;
  readonly missing: "keep" | "remove";
  readonly missingGraceMs: number;
}
