import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { StoredPart } from "./artifact-store.js";

const PIECE_BYTES = 1024 * 1024;

/**
 * Reads the parts of a file once from its beginning, and tells whether each is what it was.
 * @param onBytes is given the bytes in order, valid during the call alone; also those of a part that turns out to be another.
 */
export async function verifyParts(
  file: FileHandle,
  parts: readonly StoredPart[],
  onBytes: (bytes: Uint8Array) => void,
): Promise<boolean> {
  const piece = new Uint8Array(PIECE_BYTES);
  let position = 0;
  for (const [index, part] of parts.entries()) {
    if (part.number !== index + 1) return false;
    const hash = createHash("sha256");
    for (let left = part.bytes; left > 0; ) {
      const { bytesRead } = await file.read(piece, 0, Math.min(left, PIECE_BYTES), position);
      if (bytesRead === 0) return false;
      const bytes = piece.subarray(0, bytesRead);
      hash.update(bytes);
      onBytes(bytes);
      position += bytesRead;
      left -= bytesRead;
    }
    if (hash.digest("hex") !== part.sha256) return false;
  }
  return true;
}
