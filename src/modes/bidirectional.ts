import { merge } from "./merge.js";
import type { WriteModePolicy } from "./write-mode-policy.js";

/** Writes are stored here at once; what the primary has is merged in. */
export const bidirectional: WriteModePolicy = {
  mode: "bidirectional",
  pulls: true,
  reconcile: merge,
  keepsBase: true,
  requiresPushPath: true,
  refusesReads: null,
  clientWrite: "store",
};
