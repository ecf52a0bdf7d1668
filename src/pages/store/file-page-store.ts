import { access, constants, readdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ReplicaError } from "../../errors.js";
import { makeFolder } from "../../files/durable-folder.js";
import { createPageHasher } from "../hashes/page-hasher.js";
import { DatabaseEntry } from "./database-entry.js";
import type { PageStaging, PageStore, PageVersion, StagingRequest } from "./page-store.js";
import { mapStoreError } from "./store-error.js";
import { isDatabaseId } from "./store-names.js";
import { type StorePlaces, storePlaces } from "./store-places.js";
import { StoredDatabase } from "./stored-database.js";

export interface FilePageStoreOptions {
  /** The folder of the page server; `databases` and `staging` in it are the store's own. Made, for this user alone, where there is none. */
  readonly dir: string;
  /** How long pages of a push that broke off are kept for the next one, in seconds. Default 86 400: a day. */
  readonly stagingTtlSeconds?: number;
  /** Told of what fails beside the work: old files that cannot be removed, the link that cannot be made. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
}

const SWEEP_MS = 3_600_000;

/**
 * Keeps each database as a SQLite file of its own: `<dir>/databases/<id>/<generation>.db`, with the link `<dir>/databases/<id>.db` to the newest. One
 * process at a time may use a folder: whoever opens it sees to that.
 */
export function createFilePageStore(options: FilePageStoreOptions): PageStore {
  return new FilePageStore(options);
}

interface Closable {
  close(): Promise<void>;
}

class FilePageStore implements PageStore {
  readonly #places: StorePlaces;
  readonly #ttlMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #entries = new Map<string, DatabaseEntry>();
  readonly #removed = new Set<string>();
  /** What is being read and pushed. */
  readonly #open = new Set<Closable>();
  #create: ((id: string) => DatabaseEntry) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: FilePageStoreOptions) {
    this.#places = storePlaces(resolve(options.dir));
    this.#ttlMs = (options.stagingTtlSeconds ?? 86_400) * 1000;
    this.#onError = options.onError ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error)));
  }

  async open(): Promise<void> {
    const { dir, databases, staging } = this.#places;
    try {
      for (const folder of [databases, staging]) {
        await makeFolder(folder);
        await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
      }
      const shared = { dir, hasher: await createPageHasher(), onError: this.#onError };
      const create = (id: string) => new DatabaseEntry(new StoredDatabase(id, this.#places.of(id), shared));
      for (const name of await readdir(databases)) {
        if (name.endsWith(".link")) await rm(join(databases, name), { force: true });
      }
      for (const id of await this.#listIds()) {
        const entry = create(id);
        await entry.leftovers.recover(this.#ttlMs);
        await entry.database.attempt(`Opening the database "${id}"`, () => entry.database.generation());
        this.#entries.set(id, entry);
      }
      this.#create = create;
    } catch (error) {
      this.#entries.clear();
      throw mapStoreError(error, "Opening the folder of page sync", dir);
    }
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_MS).unref();
  }

  async read(id: string, unit?: number): Promise<PageVersion> {
    return this.#track(await this.#entry(id).read(unit));
  }

  async stage(id: string, request: StagingRequest): Promise<PageStaging> {
    return this.#track(await this.#entry(id).stage(request));
  }

  async bytes(id: string): Promise<number> {
    const path = await this.file(id);
    if (path === null) return 0;
    const { database } = this.#entry(id);
    return await database.attempt("Looking at a stored database", async () => (await stat(path)).size);
  }

  async trimLeftovers(id: string, maxBytes: number): Promise<number> {
    const { database, leftovers } = this.#entry(id);
    return await database.attempt("Removing old pages", () => leftovers.sweep({ maxBytes }));
  }

  async file(id: string): Promise<string | null> {
    const { database } = this.#entry(id);
    const generation = await database.attempt("Looking at a stored database", () => database.generation());
    return generation === 0 ? null : database.places.file(generation);
  }

  async ids(): Promise<readonly string[]> {
    this.#checkOpen();
    try {
      return await this.#listIds();
    } catch (error) {
      throw mapStoreError(error, "Listing the stored databases", this.#places.dir);
    }
  }

  async remove(id: string): Promise<void> {
    const { database } = this.#entry(id);
    this.#removed.add(id);
    this.#entries.delete(id);
    await database.remove();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#create = null;
    const results = await Promise.allSettled([...this.#open].map((opened) => opened.close()));
    this.#entries.clear();
    for (const result of results) if (result.status === "rejected") this.#onError(result.reason);
  }

  #checkOpen(): (id: string) => DatabaseEntry {
    if (this.#create === null) throw new ReplicaError("STOPPED", "The page store is not open");
    return this.#create;
  }

  #entry(id: string): DatabaseEntry {
    const create = this.#checkOpen();
    if (!isDatabaseId(id) || this.#removed.has(id)) {
      throw new ReplicaError(
        "UNKNOWN_DATABASE",
        isDatabaseId(id) ? `The database "${id}" was removed` : "No database has this id",
      );
    }
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = create(id);
      this.#entries.set(id, entry);
    }
    return entry;
  }

  /** Closed with the store where nobody closes it before. */
  #track<T extends Closable>(opened: T): T {
    this.#open.add(opened);
    const close = opened.close.bind(opened);
    opened.close = async () => {
      try {
        await close();
      } finally {
        this.#open.delete(opened);
      }
    };
    return opened;
  }

  async #listIds(): Promise<string[]> {
    const ids = new Set<string>();
    for (const folder of [this.#places.databases, this.#places.staging]) {
      for (const found of await readdir(folder, { withFileTypes: true })) {
        if (found.isDirectory() && isDatabaseId(found.name)) ids.add(found.name);
      }
    }
    return [...ids];
  }

  async #sweep(): Promise<void> {
    for (const { database, leftovers } of [...this.#entries.values()]) {
      await database.beside("Removing old pages", () => leftovers.sweep({ ttlMs: this.#ttlMs }));
    }
  }
}
