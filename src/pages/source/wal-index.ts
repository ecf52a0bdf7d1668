import { readSync } from "node:fs";
import { endianness } from "node:os";

/** A moment of a database in WAL mode, as all connections see it in the file `-shm`: https://sqlite.org/walformat.html#the_wal_index_header */
export interface WalIndex {
  /** All of the header: equal bytes are the same moment. */
  readonly header: Buffer;
  /** In bytes. */
  readonly pageSize: number;
  /** The last frame of the write-ahead log that belongs to it; 0 where none does. */
  readonly lastFrame: number;
  /** Of the database, in pages; says nothing where `lastFrame` is 0. */
  readonly pageCount: number;
  /** What each frame of the log bears. */
  readonly salts: Buffer;
  /** The first frames of the log, so many, are in the database file. */
  readonly backfilled: number;
}

const HEADER_BYTES = 48;
const CHECKED_BYTES = 40;
const BACKFILLED_AT = 2 * HEADER_BYTES;
const VERSION = 3_007_000;
const IS_LITTLE = endianness() === "LE";

const bytes: Buffer = Buffer.alloc(BACKFILLED_AT + 4);
const again: Buffer = Buffer.alloc(BACKFILLED_AT);

/**
 * Reads it while others write it: the header stands there twice, one after the other and with a checksum, and what is said of the log's frames counts only
 * where the header is the same after it was read.
 * @returns `null` where somebody was just writing, or nobody has yet
 */
export function readWalIndex(fd: number): WalIndex | null {
  if (readSync(fd, bytes, 0, bytes.length, 0) < bytes.length) return null;
  if (readSync(fd, again, 0, again.length, 0) < again.length) return null;
  const header = bytes.subarray(0, HEADER_BYTES);
  const isSame = (other: Buffer, at: number): boolean => header.equals(other.subarray(at, at + HEADER_BYTES));
  if (!isSame(bytes, HEADER_BYTES) || !isSame(again, 0) || !isSame(again, HEADER_BYTES)) return null;
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  if (!isChecked(view) || view.getUint32(0, IS_LITTLE) !== VERSION || header[12] !== 1) return null;
  const size = view.getUint16(14, IS_LITTLE);
  return {
    header: Buffer.from(header),
    pageSize: size === 1 ? 65_536 : size,
    lastFrame: view.getUint32(16, IS_LITTLE),
    pageCount: view.getUint32(20, IS_LITTLE),
    salts: Buffer.from(header.subarray(32, 40)),
    backfilled: IS_LITTLE ? bytes.readUInt32LE(BACKFILLED_AT) : bytes.readUInt32BE(BACKFILLED_AT),
  };
}

/** https://sqlite.org/fileformat2.html#checksum_algorithm, in the order of bytes of this machine */
function isChecked(view: DataView): boolean {
  let first = 0;
  let second = 0;
  for (let at = 0; at < CHECKED_BYTES; at += 8) {
    first = (first + view.getUint32(at, IS_LITTLE) + second) >>> 0;
    second = (second + view.getUint32(at + 4, IS_LITTLE) + first) >>> 0;
  }
  return view.getUint32(CHECKED_BYTES, IS_LITTLE) === first && view.getUint32(CHECKED_BYTES + 4, IS_LITTLE) === second;
}
