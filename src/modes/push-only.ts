import type { WriteModePolicy } from "./write-mode-policy.js";

/** A place to write to: nothing is pulled, and clients may not read. */
export const pushOnly: WriteModePolicy = {
  mode: "push_only",
  reconcile: null,
  keepsBase: false,
  requiresPushPath: false,
  refusesReads: { status: 405, error: "This collection is write-only on this server" },
  clientWrite: "store",
};
