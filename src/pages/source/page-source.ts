/** One moment of a database file, page by page, byte for byte as SQLite sees it, page 1 included. Pages count from 1. */
export interface PageSource {
  /** In bytes: what page 1 says. */
  readonly pageSize: number;
  /** 0 for an empty file. */
  readonly pageCount: number;
  /** `count` pages one after the other: `count * pageSize` bytes. The buffer is the caller's until the next call. */
  read(startPage: number, count: number): Uint8Array;
  /** Lets go of the moment. A second call does nothing. */
  close(): void;
}
