import { constants } from "node:fs";
import { chmod, copyFile, type FileHandle, open, rm } from "node:fs/promises";
import { CHUNK_BYTES, readFully, writeFully } from "./file-pages.js";
import { type PageOrigin, PUSHED, STORED } from "./known-pages.js";
import { type FileStamp, fileStamp } from "./load-version.js";
import type { PushedPages } from "./pushed-pages.js";

/** A version to be put together. */
export interface Composition {
  /** By page number. */
  readonly origins: Uint8Array;
  /** Bytes of a page. */
  readonly unit: number;
  /** Of the whole version. */
  readonly bytes: number;
  readonly stored: { readonly path: string; readonly file: FileHandle; readonly bytes: number } | null;
  /** The first is this push's own. */
  readonly pushed: readonly PushedPages[];
}

/** The way that writes least. */
export type CompositionWay = "into-pushed" | "copy-stored" | "write-all";

export function compositionWay({ origins, unit, bytes, stored, pushed }: Composition): CompositionWay {
  let own = 0;
  for (const origin of origins) if (origin === PUSHED) own += 1;
  if (pushed.length > 0 && own * unit * 2 >= bytes) return "into-pushed";
  return stored !== null && stored.bytes <= bytes * 2 ? "copy-stored" : "write-all";
}

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
      if (length < part.length)
        throw new RangeError(`pages ${start} to ${end - 1} of a push are not where they were put`);
      await writeFully(target, part, position);
    }
    start = end;
  }
  await target.truncate(bytes);
  await target.sync();
  return await fileStamp(target);
}

/** The file that has a page at its place. */
export function originFile({ stored, pushed }: Composition, origin: PageOrigin): FileHandle {
  const file = origin === STORED ? stored?.file : pushed[origin - PUSHED]?.pages;
  if (file === undefined) throw new RangeError("a page comes from nowhere");
  return file;
}
