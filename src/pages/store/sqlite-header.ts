import { ReplicaError } from "../../errors.js";

/** Bytes at the beginning of a SQLite file that say what it is: https://sqlite.org/fileformat2.html#the_database_header */
export const SQLITE_HEADER_BYTES = 100;

/** What SQLite makes pages of where nothing says otherwise: said of a file without pages. */
export const DEFAULT_PAGE_SIZE = 4096;

const MAGIC = Buffer.from("SQLite format 3\0", "latin1");

/**
 * The page size of a database.
 * @param first at least the first bytes of it
 * @param bytes of the whole file, where it is to be checked too
 * @throws `NOT_A_DATABASE`
 */
export function readSqlitePageSize(first: Uint8Array, bytes?: number): number {
  if (bytes === 0) return DEFAULT_PAGE_SIZE;
  const header = Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  if (header.length < SQLITE_HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw notADatabase("does not begin as a SQLite database does");
  }
  const field = header.readUInt16BE(16);
  const pageSize = field === 1 ? 65_536 : field;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) throw notADatabase(`names a page size of ${field}`);
  if (bytes === undefined) return pageSize;
  if (bytes % pageSize !== 0) {
    throw notADatabase(`is ${bytes} bytes long, which is no multiple of its page size, ${pageSize}`);
  }
  // The count is of use only where the program that wrote last has kept it: https://sqlite.org/fileformat2.html#in_header_database_size
  const pages = header.readUInt32BE(28);
  const kept = header.readUInt32BE(24) === header.readUInt32BE(92);
  if (kept && pages > bytes / pageSize) {
    throw notADatabase(`has ${bytes / pageSize} pages, but its header says ${pages}: it was cut short`);
  }
  return pageSize;
}

function notADatabase(what: string): ReplicaError {
  return new ReplicaError("NOT_A_DATABASE", `What was pushed is no SQLite database: it ${what}`, {
    hint: "Push a file that SQLite can open. An encrypted database or a file that was cut short cannot be pushed.",
  });
}
