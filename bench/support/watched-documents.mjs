import { epochMs } from "./epoch-ms.mjs";

/**
 * The map under a MemoryObjectStore that remembers when each document was stored: from that moment on a reader gets it. Looks into the
 * documents only when it is asked.
 */
export class WatchedDocuments extends Map {
  #stored = [];

  set(key, text) {
    if (key.endsWith("/doc")) this.#stored.push({ key, text, at: epochMs() });
    return super.set(key, text);
  }

  /** Remembers from here. */
  mark() {
    this.#stored = [];
  }

  /** What was stored since the mark, in order: `{ name, revision, edited, at }`. `edited` is what a local writer has put there, if any. */
  arrivals() {
    return this.#stored.map(({ key, text, at }) => {
      const { revision, edited } = JSON.parse(text).data;
      return { name: key.slice(0, -"/doc".length), revision, edited, at };
    });
  }
}
