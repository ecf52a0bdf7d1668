import { ReplicaError } from "../../errors.js";
import { FilePageSource } from "./file-page-source.js";
import { readPages } from "./read-pages.js";
import type { WalFrames } from "./wal-frames.js";

/** Pages of a moment that stands in the write-ahead log in part, and in the database file else. */
export class WalPageSource extends FilePageSource {
  readonly #fd: number;
  readonly #frames: WalFrames;
  readonly #path: string;

  constructor(
    path: string,
    fd: number,
    frames: WalFrames,
    { pageSize, pageCount }: { readonly pageSize: number; readonly pageCount: number },
    onClose: () => void,
  ) {
    super(fd, pageSize, pageCount, onClose);
    this.#fd = fd;
    this.#frames = frames;
    this.#path = path;
  }

  protected override fill(startPage: number, into: Buffer): void {
    const { pageSize } = this;
    const frames = this.#frames;
    const end = startPage + into.length / pageSize;
    const part = (from: number, to: number): Buffer =>
      into.subarray((from - startPage) * pageSize, (to - startPage) * pageSize);

    let index = frames.indexFrom(startPage);
    for (let page = startPage; page < end; ) {
      const next = Math.min(end, frames.pageAt(index));
      if (next > page) readPages(this.#fd, pageSize, page, part(page, next));
      page = next;
      if (page === end) break;
      if (!frames.readAt(index, part(page, page + 1))) throw logReplaced(this.#path);
      index += 1;
      page += 1;
    }
    if (!frames.isStanding()) throw logReplaced(this.#path);
  }
}

/** Cannot be while our read lock stands. */
export function logReplaced(path: string): ReplicaError {
  return new ReplicaError("LOCAL_DATABASE", `The write-ahead log of ${path} is not what its index says it is`, {
    hint: "Let no program remove or replace the files `-wal` and `-shm`, keep the database on a file system with working locks, and try again.",
    retryable: true,
  });
}
