import { merge } from "./merge.js";
import type { WriteModePolicy } from "./write-mode-policy.js";

/** A place to write to: clients may not read, and the primary is asked only where a push meets another writer's. */
export const pushOnly: WriteModePolicy = {
  mode: "push_only",
  pulls: false,
  reconcile: merge,
  keepsBase: true,
  requiresPushPath: false,
  refusesReads: { status: 405, error: "This collection is write-only on this server" },
  clientWrite: "store",
};
