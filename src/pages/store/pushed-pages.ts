import { chmod, type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PageHasher } from "../hashes/page-hasher.js";
import { HASH_BYTES } from "../hashes/page-hashes.js";
import { CHUNK_BYTES, readFully, writeFully } from "./file-pages.js";
import { PageSet } from "./page-set.js";

const NOTHING = Buffer.alloc(HASH_BYTES);

/**
 * Pages that were pushed and are not committed, each at its own place in a file, with their hashes in a second one. Where a page is written before its hash,
 * and each is checked by its hash when a file is opened that another process may have left, nothing has to be synced.
 */
export class PushedPages {
  /** Of its two files, without their endings. */
  readonly name: string;
  /** Bytes of a page. */
  readonly unit: number;
  readonly pages: FileHandle;
  /** Pages that are here. */
  readonly present: PageSet = new PageSet();
  readonly #folder: string;
  readonly #hashes: FileHandle;
  #count = 0;

  private constructor(folder: string, name: string, unit: number, pages: FileHandle, hashes: FileHandle) {
    this.#folder = folder;
    this.name = name;
    this.unit = unit;
    this.pages = pages;
    this.#hashes = hashes;
  }

  /**
   * @param mode `create`: two new files; `trust`: those that this process has left; `verify`: those that another has left, of which pages without their hash are
   * not taken.
   */
  static async open(
    folder: string,
    name: string,
    unit: number,
    mode: "create" | "trust" | "verify",
    hasher: PageHasher,
  ): Promise<PushedPages> {
    const flags = mode === "create" ? "wx+" : "r+";
    const path = join(folder, `${name}.pages`);
    // A crash in the middle of a commit may have left it as it was going to be stored: for reading only.
    if (mode === "verify") await chmod(path, 0o600);
    const pages = await open(path, flags, 0o600);
    try {
      const hashes = await open(join(folder, `${name}.hashes`), flags, 0o600);
      const opened = new PushedPages(folder, name, unit, pages, hashes);
      try {
        if (mode !== "create") await opened.#load(mode === "verify" ? hasher : null);
        return opened;
      } catch (error) {
        await hashes.close();
        throw error;
      }
    } catch (error) {
      await pages.close();
      throw error;
    }
  }

  /** Where the pages are. */
  get path(): string {
    return join(this.#folder, `${this.name}.pages`);
  }

  /** How many pages are here. */
  get count(): number {
    return this.#count;
  }

  /** Takes pages that follow each other. */
  async write(startPage: number, data: Uint8Array, hashes: Uint8Array): Promise<void> {
    await writeFully(this.pages, data, (startPage - 1) * this.unit);
    await writeFully(this.#hashes, hashes, (startPage - 1) * HASH_BYTES);
    for (let at = 0; at < hashes.length / HASH_BYTES; at += 1) this.#add(startPage + at);
  }

  /** The hashes of pages, of which those that are not here mean nothing. */
  async hashes(startPage: number, count: number): Promise<Buffer> {
    const buffer = Buffer.alloc(count * HASH_BYTES);
    await readFully(this.#hashes, buffer, (startPage - 1) * HASH_BYTES);
    return buffer;
  }

  /** Takes a page away, so that nobody finds it later. */
  async forget(pageNo: number): Promise<void> {
    await writeFully(this.#hashes, NOTHING, (pageNo - 1) * HASH_BYTES);
    if (this.present.has(pageNo)) this.#count -= 1;
    this.present.delete(pageNo);
  }

  /** Closes the files and lets them lie. */
  async close(): Promise<void> {
    await this.pages.close();
    await this.#hashes.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await removePushed(this.#folder, this.name);
  }

  #add(pageNo: number): void {
    if (!this.present.has(pageNo)) this.#count += 1;
    this.present.add(pageNo);
  }

  async #load(hasher: PageHasher | null): Promise<void> {
    const total = Math.floor((await this.#hashes.stat()).size / HASH_BYTES);
    const perChunk = Math.max(1, CHUNK_BYTES / this.unit);
    const data = Buffer.alloc(perChunk * this.unit);
    for (let start = 1; start <= total; start += perChunk) {
      const count = Math.min(perChunk, total - start + 1);
      const hashes = await this.hashes(start, count);
      if (hashes.every((byte) => byte === 0)) continue;
      const length = hasher === null ? 0 : await readFully(this.pages, data, (start - 1) * this.unit);
      for (let at = 0; at < count; at += 1) {
        const hash = hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
        if (hash.equals(NOTHING)) continue;
        if (hasher !== null) {
          if ((at + 1) * this.unit > length) continue;
          if (!hash.equals(hasher.hash(data.subarray(at * this.unit, (at + 1) * this.unit)))) continue;
        }
        this.#add(start + at);
      }
    }
  }
}

/** Removes pages that nobody has open. */
export async function removePushed(folder: string, name: string): Promise<void> {
  // The hashes last: without them the pages are nothing, and without pages the hashes are nothing.
  await rm(join(folder, `${name}.pages`), { force: true });
  await rm(join(folder, `${name}.hashes`), { force: true });
}
