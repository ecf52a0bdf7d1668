import type { Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

const READ_BYTES = 1024 * 1024;

/** Hashes an open file from its beginning. @returns how long it is */
export async function hashFile(
  file: FileHandle,
  hash: Hash,
  onRead: (bytes: number) => void,
  signal: AbortSignal,
): Promise<number> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let bytes = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, bytes);
    if (bytesRead === 0) return bytes;
    hash.update(buffer.subarray(0, bytesRead));
    bytes += bytesRead;
    onRead(bytes);
  }
}
