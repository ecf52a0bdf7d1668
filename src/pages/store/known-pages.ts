import { createBLAKE3 } from "hash-wasm";
import { HASH_BYTES, type PageHashes } from "../hashes/page-hashes.js";
import { type PageOrigin, PUSHED, STORED } from "./page-origin.js";
import type { PageVerdict } from "./page-store.js";
import type { PushedPages } from "./pushed-pages.js";

/** Hashes looked at between two turns of the event loop. */
const CHUNK_PAGES = 8192;
/** Single pages are mostly asked for in order. */
const WINDOW_PAGES = 512;

/** Which pages of the version that is pushed are here, and where. */
export class KnownPages {
  /** By page number. */
  readonly origins: Uint8Array;
  readonly #stored: PageHashes | null;
  readonly #storedCount: number;
  readonly #pushed: readonly PushedPages[];
  #window: { readonly start: number; readonly hashes: Buffer } = { start: 1, hashes: Buffer.alloc(0) };

  /** @param storedCount pages of the stored version that may be pages of this one */
  constructor(pageCount: number, stored: PageHashes | null, storedCount: number, pushed: readonly PushedPages[]) {
    this.origins = new Uint8Array(pageCount + 1);
    this.#stored = stored;
    this.#storedCount = stored === null ? 0 : storedCount;
    this.#pushed = pushed;
  }

  async has(pageNo: number, hash: Uint8Array): Promise<boolean> {
    if (pageNo <= this.#storedCount && (await this.#storedHash(pageNo)).equals(hash)) {
      this.origins[pageNo] = STORED;
      return true;
    }
    for (const [at, pushed] of this.#pushed.entries()) {
      if (!pushed.present.has(pageNo) || !(await pushed.hashes(pageNo, 1)).equals(hash)) continue;
      this.origins[pageNo] = PUSHED + at;
      return true;
    }
    return false;
  }

  async compare(startPage: number, endPage: number, combinedHash: Uint8Array): Promise<PageVerdict> {
    const pushed = this.#pushed.some((pages) => pages.present.any(startPage, endPage));
    if (!pushed && startPage > this.#storedCount) return "unknown";
    if (this.#stored !== null && endPage <= this.#storedCount) {
      if (Buffer.from(await this.#stored.combined(startPage, endPage)).equals(combinedHash)) {
        this.origins.fill(STORED, startPage, endPage + 1);
        return "equal";
      }
    }
    return pushed && (await this.#compareMixed(startPage, endPage, combinedHash)) ? "equal" : "different";
  }

  /** The hashes of pages, each where `origins` says. */
  async hashes(startPage: number, count: number): Promise<Buffer> {
    return await this.#gather(startPage, count, this.origins.subarray(startPage, startPage + count));
  }

  /** What was pushed goes before what is stored. */
  async #compareMixed(startPage: number, endPage: number, combinedHash: Uint8Array): Promise<boolean> {
    const origins = new Uint8Array(endPage - startPage + 1);
    const hasher = (await createBLAKE3()).init();
    for (let start = startPage; start <= endPage; start += CHUNK_PAGES) {
      const count = Math.min(CHUNK_PAGES, endPage - start + 1);
      const part = origins.subarray(start - startPage, start - startPage + count);
      for (let at = 0; at < count; at += 1) {
        const newest = this.#pushed.findIndex((pages) => pages.present.has(start + at));
        if (newest < 0 && start + at > this.#storedCount) return false;
        part[at] = newest < 0 ? STORED : PUSHED + newest;
      }
      hasher.update(await this.#gather(start, count, part));
    }
    if (!Buffer.from(hasher.digest("binary")).equals(combinedHash)) return false;
    this.origins.set(origins, startPage);
    return true;
  }

  async #gather(startPage: number, count: number, origins: Uint8Array): Promise<Buffer> {
    const found = Buffer.alloc(count * HASH_BYTES);
    for (const origin of new Set(origins)) {
      const hashes = await this.#hashesOf(origin, startPage, count);
      for (let at = 0; at < count; at += 1) {
        if (origins[at] === origin) hashes.copy(found, at * HASH_BYTES, at * HASH_BYTES, (at + 1) * HASH_BYTES);
      }
    }
    return found;
  }

  async #hashesOf(origin: PageOrigin, startPage: number, count: number): Promise<Buffer> {
    if (origin !== STORED) {
      const pushed = this.#pushed[origin - PUSHED];
      if (pushed === undefined) throw new RangeError("a page that is nowhere has no hash");
      return await pushed.hashes(startPage, count);
    }
    const found = Buffer.alloc(count * HASH_BYTES);
    const stored = Math.min(count, this.#storedCount - startPage + 1);
    if (stored > 0) found.set((await this.#stored?.read(startPage, stored)) ?? []);
    return found;
  }

  async #storedHash(pageNo: number): Promise<Buffer> {
    let at = (pageNo - this.#window.start) * HASH_BYTES;
    if (at < 0 || at >= this.#window.hashes.length) {
      const count = Math.min(WINDOW_PAGES, this.#storedCount - pageNo + 1);
      this.#window = { start: pageNo, hashes: await this.#hashesOf(STORED, pageNo, count) };
      at = 0;
    }
    return this.#window.hashes.subarray(at, at + HASH_BYTES);
  }
}
