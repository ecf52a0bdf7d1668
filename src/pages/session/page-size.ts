const MIN_PAGE_BYTES = 512;
const MAX_PAGE_BYTES = 65_536;
const MAGIC = "SQLite format 3\0";
/** Where page 1 tells the size of pages, in two bytes; 1 stands for 65,536. */
const PAGE_SIZE_OFFSET = 16;

/** Whether SQLite can have pages of so many bytes. */
export function isPageSize(bytes: number): boolean {
  return bytes >= MIN_PAGE_BYTES && bytes <= MAX_PAGE_BYTES && Number.isInteger(Math.log2(bytes));
}

/** The size of pages that page 1 tells, in bytes; `null` where it is no page 1 of a SQLite database. https://sqlite.org/fileformat2.html */
export function pageSizeIn(pageOne: Uint8Array): number | null {
  const header = Buffer.from(pageOne.buffer, pageOne.byteOffset, pageOne.byteLength);
  if (header.length < MIN_PAGE_BYTES || header.toString("latin1", 0, MAGIC.length) !== MAGIC) return null;
  const size = header.readUInt16BE(PAGE_SIZE_OFFSET);
  const bytes = size === 1 ? MAX_PAGE_BYTES : size;
  return isPageSize(bytes) ? bytes : null;
}
