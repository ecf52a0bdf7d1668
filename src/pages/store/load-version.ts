import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { ReplicaError } from "../../errors.js";
import { makeFolder } from "../../files/durable-folder.js";
import type { PageHasher } from "../hashes/page-hasher.js";
import { readFully } from "./file-pages.js";
import { fileStamp, sameStamp } from "./file-stamp.js";
import { hashPages } from "./hash-pages.js";
import type { HashesHeader } from "./hashes-header.js";
import { readSqlitePageSize, SQLITE_HEADER_BYTES } from "./sqlite-header.js";
import type { DatabasePlaces } from "./store-places.js";
import { openHashes, sealHashes, writeHashes } from "./version-hashes.js";

/** A version that can be read, or why it cannot. */
export type LoadedVersion =
  | { readonly header: HashesHeader; readonly damage: null }
  | { readonly header: null; readonly damage: ReplicaError };

/**
 * What one stored version is. Hashes that are missing or broken are made anew from the file; a file with another time is read whole, and is as good
 * as before where its hashes are the same.
 */
export async function loadVersion(
  places: DatabasePlaces,
  generation: number,
  hasher: PageHasher,
): Promise<LoadedVersion> {
  const path = places.file(generation);
  const file = await open(path, "r");
  try {
    const stamp = await fileStamp(file);
    const known = await openHashes(places.hashes(generation), hasher);
    await known?.list.close();
    const header = known?.header.generation === generation ? known.header : null;
    if (header !== null && sameStamp(header, stamp)) return { header, damage: null };
    if (header !== null && header.bytes !== stamp.bytes) return damaged(path);
    const pageSize = header?.pageSize ?? (await readPageSize(file, stamp.bytes));
    if (pageSize === null) return damaged(path);
    await makeFolder(places.staging);
    const temp = places.unfinished();
    try {
      const rootHash = await writeHashes(temp, hashPages(file, stamp.bytes, pageSize, hasher), hasher);
      if (header !== null && !Buffer.from(rootHash).equals(header.rootHash)) return damaged(path);
      const made = { generation, pageSize, pageCount: Math.ceil(stamp.bytes / pageSize), rootHash, ...stamp };
      await sealHashes(temp, made, hasher);
      await rename(temp, places.hashes(generation));
      return { header: made, damage: null };
    } finally {
      await rm(temp, { force: true });
    }
  } finally {
    await file.close();
  }
}

/** `null` where it is no database. */
async function readPageSize(file: FileHandle, bytes: number): Promise<number | null> {
  const first = new Uint8Array(SQLITE_HEADER_BYTES);
  const length = await readFully(file, first, 0);
  try {
    return readSqlitePageSize(first.subarray(0, length), bytes);
  } catch {
    return null;
  }
}

function damaged(path: string): LoadedVersion {
  return { header: null, damage: changed(path) };
}

/** That a stored file is not, or no longer, what was pushed. */
export function changed(path: string): ReplicaError {
  return new ReplicaError("PAGE_STORE", `The stored database "${path}" is not what was pushed: others changed it`, {
    hint: "Restore the file from a backup, or push the database again (with --force where its generation is another). Open it for reading only.",
  });
}
