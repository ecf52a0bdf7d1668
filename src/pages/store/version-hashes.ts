import { open, writeFile } from "node:fs/promises";
import { hasErrorCode } from "../../files/error-code.js";
import { openPageHashes } from "../hashes/open-page-hashes.js";
import type { PageHasher } from "../hashes/page-hasher.js";
import type { PageHashes } from "../hashes/page-hashes.js";
import { createPageHashesFile } from "../hashes/page-hashes-file.js";
import { HASHES_OFFSET, type HashesHeader } from "./hashes-header.js";
import { decodeHashesHeader, encodeHashesHeader } from "./hashes-header-bytes.js";

/** Writes a list of hashes that `sealHashes` makes whole. @returns the root hash */
export async function writeHashes(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  hasher: PageHasher,
): Promise<Uint8Array> {
  // Its header comes last.
  await writeFile(path, "", { mode: 0o600 });
  const file = await createPageHashesFile(path, { offset: HASHES_OFFSET });
  try {
    for await (const hashes of chunks) await file.append(hashes);
    const list = await file.finish();
    try {
      return await rootOf(list, hasher);
    } finally {
      await list.close();
    }
  } finally {
    await file.close();
  }
}

/** Puts the header before a list of hashes, durably. */
export async function sealHashes(path: string, header: HashesHeader, hasher: PageHasher): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.write(encodeHashesHeader(header, hasher), 0, HASHES_OFFSET, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A whole list of hashes, and what it is of; `null` where there is none. The list is to be closed. */
export async function openHashes(
  path: string,
  hasher: PageHasher,
): Promise<{ readonly header: HashesHeader; readonly list: PageHashes } | null> {
  const header = await readHeader(path, hasher);
  if (header === null) return null;
  let list: PageHashes | undefined;
  try {
    list = await openPageHashes(path, { pageCount: header.pageCount, offset: HASHES_OFFSET });
    const root = await rootOf(list, hasher);
    if (Buffer.from(root).equals(header.rootHash)) return { header, list };
  } catch (error) {
    await list?.close();
    // Shorter than it has to be is no failure of the disk.
    if (hasErrorCode(error, "EIO", "EMFILE", "ENFILE", "EACCES")) throw error;
    return null;
  }
  await list.close();
  return null;
}

async function rootOf(list: PageHashes, hasher: PageHasher): Promise<Uint8Array> {
  return list.pageCount === 0 ? hasher.hash(new Uint8Array(0)) : await list.combined(1, list.pageCount);
}

async function readHeader(path: string, hasher: PageHasher): Promise<HashesHeader | null> {
  try {
    const file = await open(path, "r");
    try {
      const bytes = Buffer.alloc(HASHES_OFFSET);
      const { bytesRead } = await file.read(bytes, 0, HASHES_OFFSET, 0);
      return decodeHashesHeader(bytes.subarray(0, bytesRead), hasher);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "EISDIR")) return null;
    throw error;
  }
}
