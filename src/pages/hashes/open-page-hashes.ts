import { type FileHandle, open } from "node:fs/promises";
import { createBLAKE3 } from "hash-wasm";
import { ReplicaError } from "../../errors.js";
import { type HashFileCode, mapHashFileError } from "./hash-file-error.js";
import { createPageHasher, type PageHasher } from "./page-hasher.js";
import { HASH_BYTES, type PageHashes } from "./page-hashes.js";

export interface PageHashesPlace {
  readonly pageCount: number;
  /** Where the first hash stands in the file, in bytes. Default 0. */
  readonly offset?: number;
  /** What errors of the file are. Default `PAGE_STORE`. */
  readonly code?: HashFileCode;
}

/** So much is hashed at a time: a third of a millisecond. */
const CHUNK_BYTES = 256 * 1024;
/** So many are kept from the last read, 64 KiB: a descent asks for some pages again and again, and for their neighbours next. */
const WINDOW_PAGES = 2048;

/**
 * The hashes of pages in a file of 32 bytes each, which does not change while it is open. A call needs the same memory however many pages it is about, but for
 * what `read` returns. None blocks the event loop for longer than a millisecond.
 * @throws `code` where there is no such file, or it is not as long as it has to be: `offset + pageCount * HASH_BYTES`
 */
export async function openPageHashes(path: string, place: PageHashesPlace): Promise<PageHashes> {
  const code = place.code ?? "PAGE_STORE";
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    throw mapHashFileError(error, path, code);
  }
  try {
    return await pageHashesOf(handle, path, place);
  } catch (error) {
    await handle.close();
    throw mapHashFileError(error, path, code);
  }
}

/** As `openPageHashes`, of a file that is open; it is the result's to close. */
export async function pageHashesOf(
  handle: FileHandle,
  path: string,
  { pageCount, offset = 0, code = "PAGE_STORE" }: PageHashesPlace,
): Promise<PageHashes> {
  const { size } = await handle.stat();
  const expected = offset + pageCount * HASH_BYTES;
  if (size !== expected) throw wrongLength(path, code, size, `${expected} for ${pageCount} pages`);
  return new OpenedPageHashes(handle, path, pageCount, offset, code, await createPageHasher());
}

class OpenedPageHashes implements PageHashes {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #offset: number;
  readonly #code: HashFileCode;
  readonly #hasher: PageHasher;
  readonly pageCount: number;
  #closing: Promise<void> | undefined;
  #window: { readonly startPage: number; readonly hashes: Buffer } = { startPage: 1, hashes: Buffer.alloc(0) };

  constructor(
    handle: FileHandle,
    path: string,
    pageCount: number,
    offset: number,
    code: HashFileCode,
    hasher: PageHasher,
  ) {
    this.#handle = handle;
    this.#path = path;
    this.pageCount = pageCount;
    this.#offset = offset;
    this.#code = code;
    this.#hasher = hasher;
  }

  async combined(startPage: number, endPage: number): Promise<Uint8Array> {
    const count = endPage - startPage + 1;
    this.#check(startPage, count);
    if (count <= WINDOW_PAGES) return this.#hasher.combined(await this.#kept(startPage, count));
    const bytes = count * HASH_BYTES;
    const buffer = Buffer.allocUnsafe(Math.min(bytes, CHUNK_BYTES));
    if (bytes <= CHUNK_BYTES) return this.#hasher.combined(await this.#fill(buffer, startPage));
    // One of its own: others hash between the chunks.
    const blake3 = (await createBLAKE3()).init();
    for (let done = 0; done < bytes; done += CHUNK_BYTES) {
      const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, bytes - done));
      blake3.update(await this.#fill(chunk, startPage + done / HASH_BYTES));
    }
    return blake3.digest("binary");
  }

  async read(startPage: number, count: number): Promise<Uint8Array> {
    this.#check(startPage, count);
    const hashes = new Uint8Array(count * HASH_BYTES);
    if (count > WINDOW_PAGES) return await this.#fill(hashes, startPage);
    hashes.set(await this.#kept(startPage, count));
    return hashes;
  }

  close(): Promise<void> {
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }

  #check(startPage: number, count: number): void {
    const isRange = Number.isSafeInteger(startPage) && Number.isSafeInteger(count) && startPage >= 1 && count >= 0;
    if (isRange && startPage + count - 1 <= this.pageCount) return;
    throw new RangeError(`Pages ${startPage} to ${startPage + count - 1} of 1 to ${this.pageCount}`);
  }

  /** At most `WINDOW_PAGES`; a view of what is kept. */
  async #kept(startPage: number, count: number): Promise<Buffer> {
    let { startPage: first, hashes } = this.#window;
    if (startPage < first || startPage + count > first + hashes.length / HASH_BYTES) {
      // Two windows may be read at once: each call goes on with its own.
      first = startPage;
      const kept = Math.min(WINDOW_PAGES, this.pageCount - first + 1);
      hashes = await this.#fill(Buffer.allocUnsafeSlow(kept * HASH_BYTES), first);
      this.#window = { startPage: first, hashes };
    }
    const at = (startPage - first) * HASH_BYTES;
    return hashes.subarray(at, at + count * HASH_BYTES);
  }

  async #fill<T extends Uint8Array>(into: T, startPage: number): Promise<T> {
    const from = this.#offset + (startPage - 1) * HASH_BYTES;
    try {
      for (let done = 0; done < into.length; ) {
        const { bytesRead } = await this.#handle.read(into, done, into.length - done, from + done);
        if (bytesRead === 0) throw wrongLength(this.#path, this.#code, from + done, "more by now");
        done += bytesRead;
      }
    } catch (error) {
      throw mapHashFileError(error, this.#path, this.#code);
    }
    return into;
  }
}

function wrongLength(path: string, code: HashFileCode, size: number, expected: string): ReplicaError {
  return new ReplicaError(
    code,
    `The file of page hashes ${path} has ${size} bytes where it should have ${expected}: it was cut short or written to by others`,
    { hint: "Remove it: the hashes are made again from the pages." },
  );
}
