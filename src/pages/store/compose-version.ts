import { constants } from "node:fs";
import { chmod, copyFile, type FileHandle, open, rm } from "node:fs/promises";
import { type Composition, originFile } from "./composition.js";
import type { CompositionWay } from "./composition-way.js";
import { CHUNK_BYTES, readFully, writeFully } from "./file-pages.js";
import { type FileStamp, fileStamp } from "./file-stamp.js";
import { endedEarly } from "./hash-pages.js";
import { type PageOrigin, PUSHED, STORED } from "./page-origin.js";

/**
 * Writes the version, durably: into the pages of the push itself, which are no longer as their hashes say then, or else into a new file at `path`, which
 * does not stay where that fails.
 */
export async function composeVersion(parts: Composition, way: CompositionWay, path: string): Promise<FileStamp> {
  const own = parts.pushed[0];
  if (way === "into-pushed" && own !== undefined) return await complete(parts, own.pages, PUSHED);
  try {
    if (way === "copy-stored" && parts.stored !== null) {
      // A file system that can shares the pages that are equal.
      await copyFile(parts.stored.path, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      await chmod(path, 0o600);
    }
    const file = await open(path, way === "copy-stored" ? "r+" : "wx+", 0o600);
    try {
      return await complete(parts, file, way === "copy-stored" ? STORED : 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** @param there where the pages come from that the file has already */
async function complete(parts: Composition, target: FileHandle, there: PageOrigin): Promise<FileStamp> {
  const { origins, unit, bytes } = parts;
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const most = CHUNK_BYTES / unit;
  for (let start = 1; start < origins.length; ) {
    const origin = origins[start] ?? 0;
    let end = start + 1;
    while (end < origins.length && origins[end] === origin && (origin === there || end - start < most)) end += 1;
    if (origin !== there) {
      const position = (start - 1) * unit;
      const part = buffer.subarray(0, Math.min((end - 1) * unit, bytes) - position);
      const length = await readFully(originFile(parts, origin), part, position);
      if (length < part.length) throw endedEarly();
      await writeFully(target, part, position);
    }
    start = end;
  }
  await target.truncate(bytes);
  await target.sync();
  return await fileStamp(target);
}
