import type { WriteModePolicy } from "./write-mode.js";

/** Writes are stored here at once; what the primary has is merged in. */
export const bidirectional: WriteModePolicy = {
  mode: "bidirectional",
  pull: "merge",
  requiresPushPath: true,
  refusesReads: null,
  clientWrite: "store",
};
