import type { Composition } from "./composition.js";
import { PUSHED } from "./page-origin.js";

/** The way that writes least. */
export type CompositionWay = "into-pushed" | "copy-stored" | "write-all";

export function compositionWay({ origins, unit, bytes, stored, pushed }: Composition): CompositionWay {
  let own = 0;
  for (const origin of origins) if (origin === PUSHED) own += 1;
  if (pushed.length > 0 && own * unit * 2 >= bytes) return "into-pushed";
  return stored !== null && stored.bytes <= bytes * 2 ? "copy-stored" : "write-all";
}
