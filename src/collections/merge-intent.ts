import type { Base } from "./base-record.js";

/** A merge that is being written: its base becomes valid as soon as the local document has its `localHash`. */
export interface MergeIntent extends Base {
  /** Hash of the local document that the merge began with; `null` when there was none. */
  readonly fromHash: string | null;
}
