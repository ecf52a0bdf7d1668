import { epochMs } from "./epoch-ms.mjs";

/**
 * The map under a MemoryObjectStore that remembers when each document was stored: from that moment on a reader gets it. Looks into the
 * documents only when it is asked, and once.
 */
export class WatchedDocuments extends Map {
  #stored = [];
  #arrivals = [];

  set(key, text) {
    if (key.endsWith("/doc")) this.#stored.push({ key, text, at: epochMs() });
    return super.set(key, text);
  }

  /** Remembers from here. */
  mark() {
    this.#stored = [];
    this.#arrivals = [];
  }

  /** What was stored since the mark, in order: `{ name, revision, edited, at }`. `edited` is what a local writer has put there, if any. */
  arrivals() {
    for (const { key, text, at } of this.#stored.splice(0)) {
      const { revision, edited } = JSON.parse(text).data;
      this.#arrivals.push({ name: key.slice(0, -"/doc".length), revision, edited, at });
    }
    return this.#arrivals;
  }
}
