import type { FileHandle } from "node:fs/promises";
import { ReplicaError } from "../../errors.js";
import type { PageHasher } from "../hashes/page-hasher.js";
import { CHUNK_BYTES, readFully } from "./file-pages.js";

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
    if (length < part.length) throw endedEarly();
    yield hasher.hashes(part, pageSize);
  }
}

/** That a file has fewer bytes than when it was opened. */
export function endedEarly(): ReplicaError {
  return new ReplicaError("PAGE_STORE", "A stored database became shorter while it was read", {
    hint: "Others changed it: restore it from a backup, or push it again.",
  });
}
