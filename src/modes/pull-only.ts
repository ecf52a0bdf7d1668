import type { WriteModePolicy } from "./write-mode.js";

/** The primary's documents, read-only. */
export const pullOnly: WriteModePolicy = {
  mode: "pull_only",
  pull: "replace",
  requiresPushPath: false,
  refusesReads: null,
  clientWrite: { status: 405, error: "This collection is read-only on this server" },
};
