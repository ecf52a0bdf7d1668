import type { PageSource } from "../source/page-source.js";

/** The same moment with other bytes as page 1: a local file that is unchanged since a sync, as the server has it. Closing it closes `source`. */
export function withPageOne(_source: PageSource, _pageOne: Uint8Array): PageSource {
  throw new Error("Not written yet");
}
