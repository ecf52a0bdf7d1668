import type { FileHandle } from "node:fs/promises";

/** Bytes read, hashed or copied at a time: enough for a disk, and a millisecond of hashing. */
export const CHUNK_BYTES: number = 1024 * 1024;

/** Reads until the buffer is full or the file ends. @returns bytes read */
export async function readFully(file: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let total = 0;
  while (total < buffer.length) {
    const { bytesRead } = await file.read(buffer, total, buffer.length - total, position + total);
    if (bytesRead === 0) break;
    total += bytesRead;
  }
  return total;
}

export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}
