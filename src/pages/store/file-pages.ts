import type { FileHandle } from "node:fs/promises";
import type { PageHasher } from "../hashes/page-hasher.js";

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

/** The hashes of a file's pages, a chunk at a time. Between two of them others have their turn. */
export async function* hashPages(
  file: FileHandle,
  bytes: number,
  pageSize: number,
  hasher: PageHasher,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, bytes));
  for (let position = 0; position < bytes; position += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, bytes - position));
    const length = await readFully(file, part, position);
    if (length < part.length) throw new RangeError("the file ended while it was read");
    yield hasher.hashes(part, pageSize);
  }
}
