import type { Reconcile } from "./reconcile.js";
import type { WriteMode } from "./write-mode.js";

/** What a hook refuses with: an HTTP status and the `error` of the JSON body. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
}

/** What a write mode means. One file per mode. */
export interface WriteModePolicy {
  readonly mode: WriteMode;
  /** Whether the primary's document comes here by itself. */
  readonly pulls: boolean;
  /** What the primary's document does to the local one. */
  readonly reconcile: Reconcile;
  /** Whether the local document may differ from the primary's, so that a base record tells the two sides' changes apart. */
  readonly keepsBase: boolean;
  readonly requiresPushPath: boolean;
  /** `null`: clients may read. */
  readonly refusesReads: Refusal | null;
  /** What happens to a client's write: it is stored here, forwarded to the primary, or refused. */
  readonly clientWrite: "store" | "forward" | Refusal;
}
