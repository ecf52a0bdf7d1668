import { createPageHasher } from "../hashes/page-hasher.js";
import type { ServerVersion } from "./server-version.js";

/** Of the database header, with which page 1 begins: https://sqlite.org/fileformat2.html#the_database_header */
export const PAGE_ONE_HEADER_BYTES = 100;

/** What SQLite changes of page 1 when it writes a version over another one: change counter, schema cookie, version-valid-for and its own version. */
const COUNTERS: readonly (readonly [start: number, end: number])[] = [
  [24, 28],
  [40, 44],
  [92, 100],
];
/** https://sqlite.org/fileformat2.html#file_format_version_numbers: how the database is journalled. A file keeps its own way. */
const JOURNAL: readonly [start: number, end: number] = [18, 20];
const PAGE_COUNT_OFFSET = 28;

/**
 * Whether page 1 as found on disk is that of a version, but for counters and the way it is journalled, which are no content: SQLite changes them while it
 * writes, and programs that put the file in WAL mode or write what is there already. Then it is the version's own with `withPageOne`.
 */
export async function isPageOneAsWritten(
  { pageOneHeader, pageOneHash, pageCount }: Pick<ServerVersion, "pageOneHeader" | "pageOneHash" | "pageCount">,
  found: Uint8Array,
): Promise<boolean> {
  if (pageOneHeader.length !== PAGE_ONE_HEADER_BYTES || found.length < PAGE_ONE_HEADER_BYTES) return false;
  const header = found.subarray(0, PAGE_ONE_HEADER_BYTES);
  if (!isHeaderAsWritten(pageOneHeader, header, pageCount)) return false;
  const pageOne = new Uint8Array(found);
  pageOne.set(pageOneHeader);
  return Buffer.compare((await createPageHasher()).hash(pageOne), pageOneHash) === 0;
}

function isHeaderAsWritten(received: Uint8Array, found: Uint8Array, pageCount: number): boolean {
  const expected = Buffer.from(received);
  expected.set(found.subarray(...JOURNAL), JOURNAL[0]);
  if (expected.equals(found)) return true;
  for (const [start, end] of COUNTERS) expected.set(found.subarray(start, end), start);
  // It fills in a count that the program before it had not kept.
  expected.writeUInt32BE(pageCount, PAGE_COUNT_OFFSET);
  return expected.equals(found);
}
