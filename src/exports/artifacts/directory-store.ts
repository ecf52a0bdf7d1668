import { constants } from "node:fs";
import { type FileHandle, open, rm, rmdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { makeFolder, syncFolder } from "../../files/durable-folder.js";
import { hasErrorCode } from "../../files/error-code.js";
import type { ArtifactStore, StoredPart } from "./artifact-store.js";
import { type DirectoryPlaces, directoryPlaces } from "./directory-places.js";
import { readFinished } from "./directory-reader.js";
import { DirectoryWriter } from "./directory-writer.js";
import { mapDirectoryError } from "./map-directory-error.js";
import { safeEnding } from "./safe-ending.js";
import { verifyParts } from "./verify-parts.js";

export interface DirectoryStoreOptions {
  /** The folder of exports. Made, for this user alone, with the first artifact. */
  readonly dir: string;
}

/**
 * Keeps artifacts in a folder: `<dir>/work/<jobId>/artifact.part` while they are written, `<dir>/files/<jobId><ending>` when they are finished.
 * A job's id is of letters, digits, `-` and `_`. Files are readable by this user alone. Resuming reads what is there once, from the disk.
 * `<dir>/work/<jobId>` goes with its half file only where nothing else lies in it.
 */
export function createDirectoryStore(options: DirectoryStoreOptions): ArtifactStore {
  const dir = resolve(options.dir);
  return {
    rereads: true,
    async begin(job) {
      const places = directoryPlaces(dir, `${job.id}${safeEnding(job.fileName)}`);
      if (places === null) throw new TypeError(`"${job.id}" is no job id`);
      await attempt(dir, "Beginning an export", async () => {
        await makeFolder(places.workFolder);
        await makeFolder(places.filesFolder);
        await removeFile(places.finishedFile);
        await removeFile(places.halfFile);
        const file = await open(places.halfFile, "wx", 0o600);
        await file.close();
        await syncFolder(places.workFolder);
      });
      return places.location;
    },
    async resume(ticket, parts, reread) {
      const places = directoryPlaces(dir, ticket);
      // Of another store: the options were changed while the job was under way.
      if (places === null) return null;
      return await attempt(dir, "Going on with an export", async () => {
        const half = await openOurs(places.halfFile);
        const file = half ?? (await openOurs(places.finishedFile));
        if (file === null) return null;
        try {
          const fits = half === null ? await hasLength(file, parts) : true;
          if (!fits || !(await verifyParts(file, parts, reread))) {
            await file.close();
            return null;
          }
          if (half === null) {
            await file.close();
            return new DirectoryWriter(dir, places, null, parts);
          }
          await half.truncate(sumOf(parts));
          return new DirectoryWriter(dir, places, half, parts);
        } catch (error) {
          await file.close().catch(() => {});
          throw error;
        }
      });
    },
    read: (location, range, signal) =>
      readFinished(directoryPlaces(dir, location)?.finishedFile ?? null, dir, range, signal),
    async remove(ticket, location) {
      for (const name of new Set([ticket, location])) {
        const places = name === null ? null : directoryPlaces(dir, name);
        if (places !== null) await attempt(dir, "Removing an export", () => removeAll(places));
      }
    },
    close: async () => {},
  };
}

async function removeAll(places: DirectoryPlaces): Promise<void> {
  await removeFile(places.halfFile);
  await removeFile(places.finishedFile);
  try {
    await rmdir(places.workFolder);
  } catch (error) {
    // A snapshot may still lie in it: its owner removes it.
    if (!hasErrorCode(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
  }
}

/** `null` where there is none. A link is not followed: it may lead out of the folder. */
async function openOurs(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return null;
    throw error;
  }
}

async function hasLength(file: FileHandle, parts: readonly StoredPart[]): Promise<boolean> {
  return (await file.stat()).size === sumOf(parts);
}

function sumOf(parts: readonly StoredPart[]): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0);
}

async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path)).catch((error: unknown) => {
    if (!hasErrorCode(error, "ENOENT")) throw error;
  });
}

async function attempt<T>(dir: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw mapDirectoryError(error, what, dir);
  }
}
