import { open, rm } from "node:fs/promises";
import { composeVersion } from "./compose-version.js";
import { type Composition, originFile } from "./composition.js";
import { compositionWay } from "./composition-way.js";
import { readFully } from "./file-pages.js";
import { hashPages } from "./hash-pages.js";
import type { KnownPages } from "./known-pages.js";
import { STORED } from "./page-origin.js";
import type { PushedPages } from "./pushed-pages.js";
import { readSqlitePageSize, SQLITE_HEADER_BYTES } from "./sqlite-header.js";
import type { PinnedVersion, StoredDatabase } from "./stored-database.js";
import { writeHashes } from "./version-hashes.js";

const LIST_PAGES = 8192;
/** Equals that of no version. */
const NO_HASH = new Uint8Array(0);

/** A push of which every page is here. */
export interface WholePush {
  readonly database: StoredDatabase;
  readonly pinned: PinnedVersion | null;
  readonly pushed: readonly PushedPages[];
  readonly request: { readonly pageSize: number };
  readonly known: KnownPages;
  /** Of the whole file. */
  readonly bytes: number;
  /** The generation that it started from. */
  readonly from: number;
  /** Told before the push's own pages become part of the version. */
  readonly composing: () => void;
}

/** What a commit has made. */
export interface CommittedPush {
  readonly generation: number;
  readonly rootHash: Uint8Array;
  /** `false` where the same was stored already. */
  readonly changed: boolean;
}

/** Makes a push the current version of its database. @throws as `PageStaging.commit` */
export async function commitPush(push: WholePush): Promise<CommittedPush> {
  const { database, pinned, pushed, known, bytes, from } = push;
  const unit = push.request.pageSize;
  if (pinned !== null && bytes === pinned.header.bytes && known.origins.every(isStored)) {
    const generation = await database.settle(pinned.header, from);
    if (generation !== null) return { generation, rootHash: pinned.header.rootHash, changed: false };
  }
  const parts: Composition = {
    origins: known.origins,
    unit,
    bytes,
    pushed,
    stored: pinned && {
      file: pinned.file,
      path: database.places.file(pinned.header.generation),
      bytes: pinned.header.bytes,
    },
  };
  const pageSize = await headerPageSize(parts);
  const facts = { pageSize, pageCount: bytes / pageSize, bytes, mtimeNs: 0n };
  const file = database.places.unfinished();
  const list = database.places.unfinished();
  try {
    let rootHash: Uint8Array | null = null;
    const settled = async (): Promise<CommittedPush | null> => {
      const generation = await database.settle({ ...facts, rootHash: rootHash ?? NO_HASH }, from);
      return generation === null || rootHash === null ? null : { generation, rootHash, changed: false };
    };
    if (pageSize === unit || bytes === 0) {
      rootHash = await writeHashes(list, listHashes(known), database.hasher);
      // Nothing is copied for a push that changes nothing, or comes too late.
      const early = await settled();
      if (early !== null) return early;
    }
    const way = compositionWay(parts);
    if (way === "into-pushed") push.composing();
    const place = way === "into-pushed" ? (pushed[0]?.path ?? file) : file;
    let stamp: { bytes: number; mtimeNs: bigint };
    try {
      stamp = await composeVersion(parts, way, file);
    } catch (error) {
      // Another push may have come first meanwhile, and what is stored now is not what was to be copied.
      const late = await settled();
      if (late !== null) return late;
      throw error;
    }
    rootHash ??= await hashFile(place, bytes, pageSize, list, database);
    const header = { ...facts, ...stamp, rootHash };
    const replaced = await database.replace({ header, file: place, list }, from);
    return { ...replaced, rootHash };
  } finally {
    await rm(file, { force: true });
    await rm(list, { force: true });
  }
}

function isStored(origin: number, pageNo: number): boolean {
  return pageNo === 0 || origin === STORED;
}

async function headerPageSize(parts: Composition): Promise<number> {
  const first = new Uint8Array(SQLITE_HEADER_BYTES);
  const [, origin] = parts.origins;
  const length = origin === undefined ? 0 : await readFully(originFile(parts, origin), first, 0);
  return readSqlitePageSize(first.subarray(0, length), parts.bytes);
}

async function* listHashes(known: KnownPages): AsyncGenerator<Uint8Array> {
  for (let start = 1; start < known.origins.length; start += LIST_PAGES) {
    yield await known.hashes(start, Math.min(LIST_PAGES, known.origins.length - start));
  }
}

async function hashFile(
  path: string,
  bytes: number,
  pageSize: number,
  list: string,
  database: StoredDatabase,
): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    return await writeHashes(list, hashPages(file, bytes, pageSize, database.hasher), database.hasher);
  } finally {
    await file.close();
  }
}
