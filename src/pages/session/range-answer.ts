import type { PageRange } from "./page-set.js";
import type { ServerEffect } from "./server-session.js";

/** The answer to a range of an extended session: none where all is equal, its first page where some differ, both ends where nothing of it is known. */
export function rangeAnswer(range: PageRange, verdict: "equal" | "different" | "unknown"): ServerEffect {
  const { startPage, endPage } = range;
  const pageNumbers = { equal: [], different: [startPage], unknown: [startPage, endPage] }[verdict];
  return { do: "send", frame: { kind: "hash_mismatch_batch", pageNumbers } };
}
