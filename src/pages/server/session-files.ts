import { ReplicaError } from "../../errors.js";
import { createPageHasher, type PageHasher } from "../hashes/page-hasher.js";
import { HASH_BYTES } from "../hashes/page-hashes.js";
import type { Page } from "../protocol/frame.js";
import type { StoredFacts } from "../session/server-session.js";
import type { PageStaging, PageVerdict, PageVersion } from "../store/page-store.js";
import type { SyncClaims } from "../tokens/token-claims.js";
import { NamedHashes } from "./named-hashes.js";
import type { SyncEndpointParts } from "./sync-endpoint.js";

/** Of pages that are read at once. Small enough that a peer of a few KiB a second shows that it takes something. */
const READ_BYTES = 256 * 1024;

/** Single pages are mostly named in order, and their hashes stand in a file. */
const WINDOW_PAGES = 512;
const NO_WINDOW: { readonly start: number; readonly hashes: Uint8Array } = { start: 1, hashes: new Uint8Array() };

type Parts = Pick<SyncEndpointParts, "store" | "quota" | "maxDatabaseBytes" | "onError">;

/** What one sync has open in the store. One call at a time. */
export class SessionFiles {
  readonly #parts: Parts;
  readonly #claims: SyncClaims;
  #version: PageVersion | null = null;
  #staging: PageStaging | null = null;
  #giveRoomBack: (() => void) | null = null;
  #named = new NamedHashes();
  #window = NO_WINDOW;
  #hasher: PageHasher | null = null;

  constructor(parts: Parts, claims: SyncClaims) {
    this.#parts = parts;
    this.#claims = claims;
  }

  /** A second call begins anew, without what was staged. @throws `PAGE_STORE`, `UNKNOWN_DATABASE` */
  async open(unit: number | null): Promise<StoredFacts> {
    await this.close();
    const { databaseId } = this.#claims;
    const { store } = this.#parts;
    try {
      this.#version = await (unit === null ? store.read(databaseId) : store.read(databaseId, unit));
      return this.#version;
    } catch (error) {
      const mayBeDamaged = error instanceof ReplicaError && error.code === "PAGE_STORE";
      if (this.#claims.direction === "pull" || !mayBeDamaged) throw error;
      const stored = await this.#openDamaged();
      this.#parts.onError(error);
      return stored;
    }
  }

  /** @throws `QUOTA_EXCEEDED`, `PAGE_STORE`, `UNKNOWN_DATABASE` */
  async stage(pageSize: number, pageCount: number, generation: number): Promise<void> {
    const { store, quota, maxDatabaseBytes } = this.#parts;
    const { databaseId, orgId } = this.#claims;
    // The store first: what no single database may be need not be weighed against the others.
    this.#named = new NamedHashes();
    this.#staging = await store.stage(databaseId, { pageSize, pageCount, generation, maxBytes: maxDatabaseBytes });
    this.#giveRoomBack = await quota.reserve(orgId, databaseId, pageSize * pageCount);
  }

  async compareRange(startPage: number, endPage: number, combinedHash: Uint8Array): Promise<PageVerdict> {
    if (this.#staging !== null) return this.#staging.compare(startPage, endPage, combinedHash);
    if (this.#claims.direction === "push" && this.#version === null) return "different";
    const version = this.#opened();
    if (startPage > version.pageCount) return "unknown";
    if (endPage > version.pageCount) return "different";
    return verdict(await version.combined(startPage, endPage), combinedHash);
  }

  async comparePage(pageNo: number, hash: Uint8Array): Promise<PageVerdict> {
    if (this.#staging !== null) {
      if (await this.#staging.has(pageNo, hash)) return "equal";
      this.#named.remember(pageNo, hash);
      return "different";
    }
    if (this.#claims.direction === "push" && this.#version === null) return "different";
    const version = this.#opened();
    if (pageNo > version.pageCount) return "unknown";
    return verdict(await this.#storedHash(version, pageNo), hash);
  }

  /** @throws `INTEGRITY_FAILED` for a page that is not what its client has named */
  async put(pages: readonly Page[]): Promise<void> {
    if (this.#staging === null) throw new Error("no push has begun");
    this.#hasher ??= await createPageHasher();
    for (const { pageNo, data } of pages) {
      if (this.#named.has(pageNo) && !this.#named.matches(pageNo, this.#hasher.hash(data))) {
        throw new ReplicaError("INTEGRITY_FAILED", `Page ${pageNo} came with another hash than it was named with`, {
          hint: "The file was written to while it was read: push again.",
        });
      }
      await this.#staging.put(pageNo, data);
    }
  }

  /** The stored pages from `startPage` on: as many as are sent at once. */
  async read(startPage: number, endPage: number): Promise<readonly Page[]> {
    const version = this.#opened();
    const count = Math.min(endPage - startPage + 1, Math.max(1, Math.floor(READ_BYTES / version.pageSize)));
    const bytes = await version.read(startPage, count);
    return Array.from({ length: count }, (_, index) => ({
      pageNo: startPage + index,
      data: bytes.subarray(index * version.pageSize, (index + 1) * version.pageSize),
    }));
  }

  /** @returns `changed`: whether it made a new generation */
  async commit(): Promise<{ generation: number; rootHash: Uint8Array; changed: boolean }> {
    if (this.#staging === null) throw new Error("no push has begun");
    const before = this.#staging.stored.generation;
    const { generation, rootHash } = await this.#staging.commit();
    return { generation, rootHash, changed: generation !== before };
  }

  /** What was staged and not committed is kept for the next push. May be called again. */
  async close(): Promise<void> {
    const [version, staging, giveRoomBack] = [this.#version, this.#staging, this.#giveRoomBack];
    this.#version = null;
    this.#staging = null;
    this.#giveRoomBack = null;
    this.#window = NO_WINDOW;
    try {
      await version?.close();
    } finally {
      try {
        await staging?.close();
      } finally {
        giveRoomBack?.();
      }
    }
  }

  /** What cannot be read any more can be pushed again: how it is numbered the store says where a push begins. */
  async #openDamaged(): Promise<StoredFacts> {
    const { store, maxDatabaseBytes: maxBytes } = this.#parts;
    const request = { pageSize: 4096, pageCount: 0, generation: null, maxBytes };
    const staging = await store.stage(this.#claims.databaseId, request);
    await staging.close();
    return staging.stored;
  }

  async #storedHash(version: PageVersion, pageNo: number): Promise<Uint8Array> {
    let at = (pageNo - this.#window.start) * HASH_BYTES;
    if (at < 0 || at >= this.#window.hashes.byteLength) {
      const count = Math.min(WINDOW_PAGES, version.pageCount - pageNo + 1);
      this.#window = { start: pageNo, hashes: await version.hashes(pageNo, count) };
      at = 0;
    }
    return this.#window.hashes.subarray(at, at + HASH_BYTES);
  }

  #opened(): PageVersion {
    if (this.#version === null) throw new Error("no pull has begun");
    return this.#version;
  }
}

function verdict(ours: Uint8Array, theirs: Uint8Array): PageVerdict {
  return Buffer.compare(ours, theirs) === 0 ? "equal" : "different";
}
