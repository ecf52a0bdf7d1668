import { ReplicaError } from "../../errors.js";
import type { PageHashes } from "../hashes/page-hashes.js";
import { readFully } from "./file-pages.js";
import { endedEarly } from "./hash-pages.js";
import type { PageVersion } from "./page-store.js";
import type { PinnedVersion, StoredDatabase } from "./stored-database.js";
import { Turns } from "./turns.js";

const WHAT = "Reading a stored database";

/** A stored version whose files stay open, whatever takes its place. */
export class FilePageVersion implements PageVersion {
  readonly generation: number;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly rootHash: Uint8Array;
  readonly #database: StoredDatabase;
  readonly #pinned: PinnedVersion;
  readonly #list: PageHashes;
  readonly #turns = new Turns();
  #closing: Promise<void> | null = null;

  /** @param list of pages of `pageSize` bytes; it and what is pinned are this version's to close */
  constructor(
    database: StoredDatabase,
    pinned: PinnedVersion,
    pages: { readonly pageSize: number; readonly list: PageHashes; readonly rootHash: Uint8Array },
  ) {
    this.#database = database;
    this.#pinned = pinned;
    this.#list = pages.list;
    this.generation = pinned.header.generation;
    this.pageSize = pages.pageSize;
    this.pageCount = pages.list.pageCount;
    this.rootHash = pages.rootHash;
  }

  combined(startPage: number, endPage: number): Promise<Uint8Array> {
    return this.#attempt(startPage, endPage, () => this.#list.combined(startPage, endPage));
  }

  hashes(startPage: number, count: number): Promise<Uint8Array> {
    if (count === 0) return Promise.resolve(new Uint8Array(0));
    return this.#attempt(startPage, startPage + count - 1, () => this.#list.read(startPage, count));
  }

  read(startPage: number, count: number): Promise<Uint8Array> {
    if (count === 0) return Promise.resolve(new Uint8Array(0));
    return this.#attempt(startPage, startPage + count - 1, async () => {
      const position = (startPage - 1) * this.pageSize;
      const { bytes } = this.#pinned.header;
      const pages = new Uint8Array(Math.min(count * this.pageSize, bytes - position));
      const length = await readFully(this.#pinned.file, pages, position);
      if (length === pages.length) return pages;
      throw endedEarly();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#turns.run(async () => {
      await this.#list.close();
      if (this.#list !== this.#pinned.list) await this.#pinned.list.close();
      await this.#pinned.file.close();
    });
    return this.#closing;
  }

  #attempt<T>(startPage: number, endPage: number, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(() =>
      this.#database.attempt(WHAT, async () => {
        if (this.#closing !== null) throw new ReplicaError("STOPPED", `${WHAT}: it is closed already`);
        if (!Number.isInteger(startPage) || !Number.isInteger(endPage) || startPage < 1 || endPage > this.pageCount) {
          throw new RangeError(`pages ${startPage} to ${endPage} are not among the ${this.pageCount} stored`);
        }
        return await work();
      }),
    );
  }
}

/** What is stored of a database that nobody has pushed yet. */
export function emptyVersion(): PageVersion {
  const nothing = () => Promise.reject(new RangeError("nothing is stored yet"));
  return {
    generation: 0,
    pageSize: 0,
    pageCount: 0,
    rootHash: null,
    combined: nothing,
    hashes: (_startPage, count) => (count === 0 ? Promise.resolve(new Uint8Array(0)) : nothing()),
    read: (_startPage, count) => (count === 0 ? Promise.resolve(new Uint8Array(0)) : nothing()),
    close: async () => {},
  };
}
