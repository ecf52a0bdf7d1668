import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { ReplicaError } from "../../errors.js";
import { hasErrorCode } from "../../files/error-code.js";
import type { ByteRange } from "../export-job.js";
import { mapDirectoryError } from "./map-directory-error.js";

const PIECE_BYTES = 512 * 1024;

/**
 * The bytes of a finished file, in pieces of at most 512 KiB with memory of their own. See `ArtifactStore.read`.
 * @param path `null` where the artifact is not in this folder at all
 */
export async function* readFinished(
  path: string | null,
  dir: string,
  range: ByteRange | null,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted();
  if (path === null) throw missing("its place is not in the folder of exports");
  const file = await openFinished(path, dir);
  try {
    const end = range === null ? Number.POSITIVE_INFINITY : range.end + 1;
    for (let position = range?.start ?? 0; position < end; ) {
      const piece = await readPiece(file, position, Math.min(PIECE_BYTES, end - position), dir);
      signal.throwIfAborted();
      if (piece.byteLength === 0) {
        if (range === null) return;
        throw new ReplicaError("ARTIFACT_STORE", `The file "${path}" ends before byte ${range.end}`, {
          hint: "Another program changed it: start the export again.",
        });
      }
      position += piece.byteLength;
      yield piece;
    }
  } finally {
    await file.close().catch(() => {});
  }
}

async function openFinished(path: string, dir: string): Promise<FileHandle> {
  try {
    // A link is not followed: it may lead out of the folder.
    return await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw mapDirectoryError(error, "Reading an export", dir);
    throw missing(`"${path}"`, error);
  }
}

function missing(where: string, cause?: unknown): ReplicaError {
  return new ReplicaError("ARTIFACT_MISSING", `The finished export is not there any more: ${where}`, {
    hint: "It was removed or moved, or the options name another store than then: bring it back, or start the export again.",
    cause,
  });
}

async function readPiece(file: FileHandle, position: number, bytes: number, dir: string): Promise<Uint8Array> {
  const piece = new Uint8Array(bytes);
  try {
    const { bytesRead } = await file.read(piece, 0, bytes, position);
    return piece.subarray(0, bytesRead);
  } catch (error) {
    throw mapDirectoryError(error, "Reading an export", dir);
  }
}
