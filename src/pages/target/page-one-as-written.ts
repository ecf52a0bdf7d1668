/** What SQLite changes of page 1 when it writes a version over another one: change counter, schema cookie, version-valid-for and its own version. */
const COUNTERS: readonly (readonly [start: number, end: number])[] = [
  [24, 28],
  [40, 44],
  [92, 100],
];
/** https://sqlite.org/fileformat2.html#file_format_version_numbers: how the database is journalled. A file keeps its own way. */
const JOURNAL: readonly [start: number, end: number] = [18, 20];
const PAGE_COUNT_OFFSET = 28;

/** Whether page 1 as found on disk is page 1 as received, but for what SQLite changes of it while it writes. */
export function isPageOneAsWritten(received: Uint8Array, found: Uint8Array, pageCount: number): boolean {
  if (received.length !== found.length || received.length < 100) return false;
  const expected = Buffer.from(received);
  expected.set(found.subarray(...JOURNAL), JOURNAL[0]);
  if (expected.equals(found)) return true;
  for (const [start, end] of COUNTERS) expected.set(found.subarray(start, end), start);
  // It fills in a count that the program before it had not kept.
  expected.writeUInt32BE(pageCount, PAGE_COUNT_OFFSET);
  return expected.equals(found);
}
