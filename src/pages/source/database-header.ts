/** What the first bytes of a database say of it. */
export interface DatabaseHeader {
  /** In bytes. */
  readonly pageSize: number;
  /** `null` where a program wrote last that does not keep the count: then the size of the file counts. */
  readonly pageCount: number | null;
  /** Whether it is in WAL mode. */
  readonly wal: boolean;
  /** Is another after each write of anybody, except in WAL mode. */
  readonly version: Buffer;
}

/** Bytes that `readDatabaseHeader` needs. */
export const HEADER_BYTES = 108;

const MAGIC = Buffer.from("SQLite format 3\0", "latin1");
/** What begins a table's tree, as the schema is one: an interior page, a leaf. */
const TABLE_PAGES: readonly (number | undefined)[] = [0x05, 0x0d];

/**
 * Reads the beginning of page 1: https://sqlite.org/fileformat2.html#the_database_header
 * @returns `null` where no SQLite database begins like this: SQLite itself looks no further than the first 100 bytes, of which an encrypted one may have
 * kept some
 */
export function readDatabaseHeader(start: Buffer): DatabaseHeader | null {
  if (start.length < HEADER_BYTES || !start.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const field = start.readUInt16BE(16);
  const pageSize = field === 1 ? 65_536 : field;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0 || !TABLE_PAGES.includes(start[100])) return null;
  const pages = start.readUInt32BE(28);
  // https://sqlite.org/fileformat2.html#in_header_database_size
  const isKept = pages > 0 && start.readUInt32BE(24) === start.readUInt32BE(92);
  return {
    pageSize,
    pageCount: isKept ? pages : null,
    wal: start[19] === 2,
    version: Buffer.from(start.subarray(16, 40)),
  };
}
