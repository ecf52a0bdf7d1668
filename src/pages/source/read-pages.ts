import { readSync } from "node:fs";

/** https://sqlite.org/fileformat2.html#the_lock_byte_page */
const LOCK_BYTE = 2 ** 30;

/**
 * Fills `into`, whole pages, from a database file. What the file does not have is zeros, as for SQLite. So is the page whose bytes are locks, which SQLite
 * never uses: on Windows it cannot be read while they are held.
 */
export function readPages(fd: number, pageSize: number, startPage: number, into: Buffer): void {
  readFully(fd, into, (startPage - 1) * pageSize);
  const lockAt = LOCK_BYTE - (startPage - 1) * pageSize;
  if (lockAt >= 0 && lockAt < into.length) into.fill(0, lockAt, lockAt + pageSize);
}

/** @returns how many bytes there were; the others are zeros */
export function readFully(fd: number, into: Buffer, from: number): number {
  let done = 0;
  while (done < into.length) {
    const bytes = readSync(fd, into, done, into.length - done, from + done);
    if (bytes === 0) break;
    done += bytes;
  }
  into.fill(0, done);
  return done;
}
