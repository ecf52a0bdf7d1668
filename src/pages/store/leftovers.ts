import { randomBytes } from "node:crypto";
import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../files/durable-folder.js";
import { hasErrorCode } from "../../files/error-code.js";
import type { PageHasher } from "../hashes/page-hasher.js";
import { PushedPages, removePushed } from "./pushed-pages.js";
import { Turns } from "./turns.js";

const NAME = /^([0-9a-f]{24})-(\d{3,5})\.(pages|hashes)$/;
/** More than that are small ones of pushes that broke off again and again. */
const MAX_ADOPTED = 16;

interface Leftover {
  readonly name: string;
  readonly unit: number;
  /** Unix milliseconds of the last page. */
  readonly writtenAt: number;
  /** What they take on the disk. */
  readonly bytes: number;
}

/** What pushes of one database that broke off have left, and which push has which of them. */
export class Leftovers {
  readonly #folder: string;
  readonly #hasher: PageHasher;
  readonly #held = new Set<string>();
  /** Written to their end by this process. */
  readonly #trusted = new Set<string>();
  readonly #turns = new Turns();

  constructor(folder: string, hasher: PageHasher) {
    this.#folder = folder;
    this.#hasher = hasher;
  }

  /** Pages for a push: the first is for what it sends, the others for reading. Nobody else gets them until they are given back. */
  take(unit: number): Promise<PushedPages[]> {
    return this.#turns.run(() => this.#take(unit));
  }

  async #take(unit: number): Promise<PushedPages[]> {
    await makeFolder(this.#folder);
    const free = (await this.#list()).filter((found) => found.unit === unit && !this.#held.has(found.name));
    const taken: PushedPages[] = [];
    const names = free.slice(0, MAX_ADOPTED).map((found) => found.name);
    for (const name of names) this.#held.add(name);
    try {
      for (const name of names) {
        const mode = this.#trusted.delete(name) ? "trust" : "verify";
        taken.push(await PushedPages.open(this.#folder, name, unit, mode, this.#hasher));
      }
      if (taken.length === 0) {
        const name = `${randomBytes(12).toString("hex")}-${unit}`;
        this.#held.add(name);
        names.push(name);
        taken.push(await PushedPages.open(this.#folder, name, unit, "create", this.#hasher));
      }
      return taken;
    } catch (error) {
      for (const pages of taken) await pages.close();
      for (const name of names) this.#held.delete(name);
      throw error;
    }
  }

  /** @param whole whether each page that has a hash has it rightly */
  async giveBack(pages: PushedPages, whole: boolean): Promise<void> {
    try {
      if (pages.count === 0) return await pages.remove();
      await pages.close();
      if (whole) this.#trusted.add(pages.name);
    } finally {
      this.#held.delete(pages.name);
    }
  }

  async remove(pages: PushedPages): Promise<void> {
    try {
      await pages.remove();
    } finally {
      this.#held.delete(pages.name);
    }
  }

  /** Removes what nobody has: what is older than `ttlMs`, then the oldest until no more than `maxBytes` are left. @returns bytes of what is left */
  sweep(limits: { readonly ttlMs?: number; readonly maxBytes?: number }): Promise<number> {
    return this.#turns.run(() => this.#sweep(limits));
  }

  async #sweep(limits: { readonly ttlMs?: number; readonly maxBytes?: number }): Promise<number> {
    let bytes = 0;
    let kept = 0;
    for (const found of await this.#list()) {
      if (this.#held.has(found.name)) continue;
      bytes += found.bytes;
      const old = limits.ttlMs !== undefined && Date.now() - found.writtenAt > limits.ttlMs;
      if (!old && bytes <= (limits.maxBytes ?? Number.POSITIVE_INFINITY)) {
        kept += found.bytes;
        continue;
      }
      this.#trusted.delete(found.name);
      await removePushed(this.#folder, found.name);
    }
    return kept;
  }

  /** Removes what is old, or what a crash has left that is of use to nobody, and the folder where nothing is left. Only before the first push. */
  async recover(ttlMs: number): Promise<void> {
    const names = await readdir(this.#folder).catch(expected("ENOENT"));
    for (const name of names ?? []) {
      const [, token, unit, ending] = NAME.exec(name) ?? [];
      const other = `${token}-${unit}.${ending === "pages" ? "hashes" : "pages"}`;
      const useless = ending === undefined ? name.endsWith(".tmp") : !names?.includes(other);
      if (useless) await rm(join(this.#folder, name), { force: true });
    }
    await this.sweep({ ttlMs });
    await rmdir(this.#folder).catch(expected("ENOENT", "ENOTEMPTY", "EEXIST"));
  }

  /** Newest first. */
  async #list(): Promise<Leftover[]> {
    const found: Leftover[] = [];
    for (const file of (await readdir(this.#folder).catch(expected("ENOENT"))) ?? []) {
      const [, token, unit, ending] = NAME.exec(file) ?? [];
      if (ending !== "pages") continue;
      const facts = await stat(join(this.#folder, file)).catch(expected("ENOENT"));
      if (!facts) continue;
      // Pages that were not sent are holes, which take nothing.
      const bytes = facts.blocks ? facts.blocks * 512 : facts.size;
      found.push({ name: `${token}-${unit}`, unit: Number(unit), writtenAt: facts.mtimeMs, bytes });
    }
    return found.sort((one, other) => other.writtenAt - one.writtenAt);
  }
}

function expected(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!hasErrorCode(error, ...codes)) throw error;
  };
}
