import { type FileHandle, open } from "node:fs/promises";
import { type HashFileCode, mapHashFileError } from "./hash-file-error.js";
import { pageHashesOf } from "./open-page-hashes.js";
import { HASH_BYTES, type PageHashes } from "./page-hashes.js";

/** A file that the hashes of pages are written to, in order. */
export interface PageHashesFile {
  /** Those of the next pages, one after the other. To be waited for before anything else is asked. */
  append(hashes: Uint8Array): Promise<void>;
  /** Writes what is left, and hands the file over for reading. It is not synced to the disk. */
  finish(): Promise<PageHashes>;
  /** Gives it up; after `finish` it does nothing. The file stays. */
  close(): Promise<void>;
}

export interface PageHashesFileOptions {
  /** Bytes before the first hash, which are somebody else's and stay as they are; what follows is replaced. Default 0. */
  readonly offset?: number;
  /** What errors of the file are. Default `PAGE_STORE`. */
  readonly code?: HashFileCode;
}

const BUFFER_BYTES = 64 * 1024;

/**
 * Makes the file, readable by its user alone; one that is there is replaced, but for its first `offset` bytes.
 * @throws `code`
 */
export async function createPageHashesFile(
  path: string,
  { offset = 0, code = "PAGE_STORE" }: PageHashesFileOptions = {},
): Promise<PageHashesFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, offset > 0 ? "r+" : "w+", 0o600);
    return new OpenedPageHashesFile(handle, path, offset, code);
  } catch (error) {
    await handle?.close();
    throw mapHashFileError(error, path, code);
  }
}

class OpenedPageHashesFile implements PageHashesFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #offset: number;
  readonly #code: HashFileCode;
  readonly #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #buffered = 0;
  #end: number;
  #isOver = false;

  constructor(handle: FileHandle, path: string, offset: number, code: HashFileCode) {
    this.#handle = handle;
    this.#path = path;
    this.#offset = offset;
    this.#code = code;
    this.#end = offset;
  }

  async append(hashes: Uint8Array): Promise<void> {
    if (hashes.length % HASH_BYTES !== 0) throw new RangeError(`${hashes.length} bytes are no whole hashes`);
    if (this.#buffered + hashes.length > BUFFER_BYTES) await this.#flush();
    if (hashes.length > BUFFER_BYTES) {
      await this.#write(hashes);
      return;
    }
    this.#buffer.set(hashes, this.#buffered);
    this.#buffered += hashes.length;
  }

  async finish(): Promise<PageHashes> {
    await this.#flush();
    const pageCount = (this.#end - this.#offset) / HASH_BYTES;
    try {
      await this.#handle.truncate(this.#end);
      const place = { pageCount, offset: this.#offset, code: this.#code };
      const hashes = await pageHashesOf(this.#handle, this.#path, place);
      this.#isOver = true;
      return hashes;
    } catch (error) {
      throw mapHashFileError(error, this.#path, this.#code);
    }
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    await this.#write(bytes);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#end);
        done += bytesWritten;
        this.#end += bytesWritten;
      }
    } catch (error) {
      throw mapHashFileError(error, this.#path, this.#code);
    }
  }
}
