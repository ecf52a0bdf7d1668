import { replace } from "./replace.js";
import type { WriteModePolicy } from "./write-mode-policy.js";

/** The primary's documents; a client's write goes to the primary, and its answer to the client. */
export const pushThrough: WriteModePolicy = {
  mode: "push_through",
  pulls: true,
  reconcile: replace,
  keepsBase: false,
  requiresPushPath: true,
  refusesReads: null,
  clientWrite: "forward",
};
