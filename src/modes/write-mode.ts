/** How a replica treats its clients' writes, and what it takes from its primary. */
export const WRITE_MODES = ["pull_only", "push_through", "bidirectional", "push_only"] as const;

export type WriteMode = (typeof WRITE_MODES)[number];

/** What a hook refuses with: an HTTP status and the `error` of the JSON body. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
}

/** What a write mode means. One file per mode. */
export interface WriteModePolicy {
  readonly mode: WriteMode;
  /**
   * What the primary's documents do to the local copy: `replace` it, `merge` into it, or `none`, when nothing is pulled. `merge` keeps a
   * base record.
   */
  readonly pull: "replace" | "merge" | "none";
  readonly requiresPushPath: boolean;
  /** `null`: clients may read. */
  readonly refusesReads: Refusal | null;
  /** What happens to a client's write: it is stored here, forwarded to the primary, or refused. */
  readonly clientWrite: "store" | "forward" | Refusal;
}
