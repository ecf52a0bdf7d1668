import { replace } from "./replace.js";
import type { WriteModePolicy } from "./write-mode-policy.js";

/** The primary's documents, read-only. */
export const pullOnly: WriteModePolicy = {
  mode: "pull_only",
  pulls: true,
  reconcile: replace,
  keepsBase: false,
  requiresPushPath: false,
  refusesReads: null,
  clientWrite: { status: 405, error: "This collection is read-only on this server" },
};
