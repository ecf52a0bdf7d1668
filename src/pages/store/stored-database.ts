import { chmod, type FileHandle, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ReplicaError } from "../../errors.js";
import { makeFolder, syncFolder } from "../../files/durable-folder.js";
import { hasErrorCode } from "../../files/error-code.js";
import type { PageHasher } from "../hashes/page-hasher.js";
import type { PageHashes } from "../hashes/page-hashes.js";
import { type FileStamp, fileStamp, sameStamp } from "./file-stamp.js";
import type { HashesHeader } from "./hashes-header.js";
import { linkVersion } from "./link-version.js";
import { changed, loadVersion } from "./load-version.js";
import { mapStoreError } from "./store-error.js";
import { parseVersionName } from "./store-names.js";
import type { DatabasePlaces } from "./store-places.js";
import { Turns } from "./turns.js";
import { openHashes, sealHashes } from "./version-hashes.js";

/** A stored version with its files open. */
export interface PinnedVersion {
  readonly header: HashesHeader;
  readonly file: FileHandle;
  /** Of pages of the database's own size. */
  readonly list: PageHashes;
}

/** A version that is whole, in files that have no place yet. */
export interface FinishedVersion {
  readonly header: Omit<HashesHeader, "generation">;
  readonly file: string;
  readonly list: string;
}

const NO_FILE: FileStamp = { bytes: -1, mtimeNs: 0n };

/** The versions of one database: which one is current, and how another takes its place. */
export class StoredDatabase {
  readonly id: string;
  readonly places: DatabasePlaces;
  readonly hasher: PageHasher;
  readonly #dir: string;
  readonly #onError: (error: unknown) => void;
  readonly #turns = new Turns();
  /** `null`: not looked for yet. */
  #generation: number | null = null;
  #header: HashesHeader | null = null;
  /** Why this version cannot be read. It stays so while its file has this stamp. */
  #damage: { readonly stamp: FileStamp; readonly error: ReplicaError } | null = null;
  #removed = false;

  constructor(
    id: string,
    places: DatabasePlaces,
    shared: { readonly dir: string; readonly hasher: PageHasher; readonly onError: (error: unknown) => void },
  ) {
    this.id = id;
    this.places = places;
    this.hasher = shared.hasher;
    this.#dir = shared.dir;
    this.#onError = shared.onError;
  }

  /** Does something with its files. @throws `UNKNOWN_DATABASE` where it was removed before or meanwhile; `PAGE_STORE` where files fail */
  async attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#checkThere();
    try {
      return await work();
    } catch (error) {
      this.#checkThere();
      throw mapStoreError(error, what, this.#dir);
    }
  }

  /** Does what nobody waits for: where it fails only `onError` is told. */
  async beside(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) this.#onError(mapStoreError(error, what, this.#dir));
    }
  }

  /** While this runs no version takes the place of another. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run(async () => {
      this.#checkThere();
      return await work();
    });
  }

  /** 0 where nothing was pushed yet. Finishes or undoes what a crash has left. */
  generation(): Promise<number> {
    return this.inTurn(() => this.#find());
  }

  /** Whether the version that `pin` was asked for last cannot be read. */
  get isDamaged(): boolean {
    return this.#damage !== null;
  }

  /** Whether it is this generation still; to be asked in turn. */
  isCurrent(generation: number): boolean {
    return this.#generation === generation;
  }

  /** The current version; `null` where nothing was pushed yet. @throws `PAGE_STORE` where it is damaged */
  pin(): Promise<PinnedVersion | null> {
    return this.inTurn(async () => {
      const generation = await this.#find();
      if (generation === 0) return null;
      const path = this.places.file(generation);
      const file = await open(path, "r").catch((error: unknown) => {
        if (!hasErrorCode(error, "ENOENT")) throw error;
        this.#damage = { stamp: NO_FILE, error: changed(path) };
        throw this.#damage.error;
      });
      try {
        const stamp = await fileStamp(file);
        const known = this.#header !== null && sameStamp(this.#header, stamp);
        const hashes = this.places.hashes(generation);
        let opened = known ? await openHashes(hashes, this.hasher) : null;
        if (opened !== null && !(opened.header.generation === generation && sameStamp(opened.header, stamp))) {
          // The file is as it was, and these are another's: they are made anew.
          await opened.list.close();
          await rm(hashes, { force: true });
          opened = null;
        }
        if (opened === null) {
          await this.#load(generation, stamp);
          opened = await openHashes(hashes, this.hasher);
        }
        if (opened === null) throw changed(hashes);
        return { file, header: opened.header, list: opened.list };
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  /**
   * Where the current version equals this one, that is its generation; `null` where this one may take its place.
   * @throws `GENERATION_CONFLICT` where another push came first
   */
  settle(header: FinishedVersion["header"], from: number): Promise<number | null> {
    return this.inTurn(() => this.#settle(header, from));
  }

  /** Makes it the current version, unless that is the same. @throws as `settle` */
  replace(next: FinishedVersion, from: number): Promise<{ readonly generation: number; readonly changed: boolean }> {
    return this.inTurn(async () => {
      const same = await this.#settle(next.header, from);
      if (same !== null) return { generation: same, changed: false };
      const generation = from + 1;
      const header = { ...next.header, generation };
      try {
        await makeFolder(this.places.folder);
        await sealHashes(next.list, header, this.hasher);
        await chmod(next.file, 0o400);
        // SQLite would take what lies there for what was not written into the file yet.
        for (const ending of ["-wal", "-shm", "-journal"]) {
          await rm(`${this.places.file(generation)}${ending}`, { force: true });
        }
        await rename(next.list, this.places.hashes(generation));
        await rename(next.file, this.places.file(generation));
        await syncFolder(this.places.folder);
      } catch (error) {
        // Nobody knows how far it came: it is looked for again.
        this.#generation = null;
        throw error;
      }
      this.#generation = generation;
      this.#header = header;
      this.#damage = null;
      await this.#tidy(generation);
      return { generation, changed: true };
    });
  }

  /** Whatever is asked from now on fails, also of what was pinned before. */
  remove(): Promise<void> {
    if (this.#removed) return Promise.resolve();
    this.#removed = true;
    return this.#turns.run(async () => {
      try {
        await rm(this.places.link, { force: true });
        for (const folder of [this.places.folder, this.places.staging]) {
          await rm(folder, { recursive: true, force: true, maxRetries: 5 });
        }
      } catch (error) {
        throw mapStoreError(error, "Removing a database", this.#dir);
      }
    });
  }

  #checkThere(): void {
    if (this.#removed) throw new ReplicaError("UNKNOWN_DATABASE", `The database "${this.id}" was removed`);
  }

  async #settle(header: FinishedVersion["header"], from: number): Promise<number | null> {
    const current = await this.#find();
    if (this.#damage === null && this.#header !== null && sameContent(this.#header, header)) return current;
    if (current === from) return null;
    throw new ReplicaError(
      "GENERATION_CONFLICT",
      `This push of the database "${this.id}" started from ${generationName(from)}, but the database is at ${generationName(current)}: another push came first`,
      { hint: "Pull the database and make the change again, or push with --force, which undoes what others pushed." },
    );
  }

  async #load(generation: number, stamp: FileStamp): Promise<void> {
    if (this.#damage !== null && sameStamp(this.#damage.stamp, stamp)) throw this.#damage.error;
    this.#header = null;
    const { header, damage } = await loadVersion(this.places, generation, this.hasher);
    this.#header = header;
    this.#damage = damage === null ? null : { stamp, error: damage };
    if (damage !== null) throw damage;
  }

  async #find(): Promise<number> {
    if (this.#generation !== null) return this.#generation;
    this.#header = null;
    this.#damage = null;
    const names = await readdir(this.places.folder).catch((error: unknown) => {
      if (hasErrorCode(error, "ENOENT")) return [];
      throw error;
    });
    const stored = names
      .map(parseVersionName)
      .filter((name) => name?.rest === "db")
      .map((name) => name?.generation ?? 0)
      .sort((one, other) => other - one);
    const newest = stored.length > 1 ? await this.#newestWhole(stored) : (stored[0] ?? 0);
    this.#generation = newest ?? stored[0] ?? 0;
    // Where all are damaged each may be the one that somebody mends.
    if (newest !== null) await this.#tidy(newest);
    return this.#generation;
  }

  async #newestWhole(generations: readonly number[]): Promise<number | null> {
    for (const generation of generations) {
      const { header } = await loadVersion(this.places, generation, this.hasher);
      this.#header = header;
      if (header !== null) return generation;
    }
    return null;
  }

  /** Removes what is left of other generations. Where that fails it is done another time: the version is stored nevertheless. */
  async #tidy(generation: number): Promise<void> {
    const what = `Tidying up after the database "${this.id}"`;
    await this.beside(what, async () => {
      if (generation > 0) await linkVersion(this.places, generation);
    });
    await this.beside(what, async () => {
      for (const name of await readdir(this.places.folder)) {
        const version = parseVersionName(name);
        if (version === null || version.generation === generation) continue;
        await rm(join(this.places.folder, name), { force: true });
      }
    });
  }
}

function generationName(generation: number): string {
  return generation === 0 ? "no generation" : `generation ${generation}`;
}

function sameContent(one: FinishedVersion["header"], other: FinishedVersion["header"]): boolean {
  return (
    one.pageSize === other.pageSize &&
    one.pageCount === other.pageCount &&
    Buffer.from(one.rootHash).equals(other.rootHash)
  );
}
