/** Between two parts of a dump. JSON keeps it whole. */
export interface DumpPosition {
  /** Which piece of the dump: a text, or the rows of a table. */
  readonly step: number;
  /** The key of the last row that was written (see `key-text.ts`), `null` before the first. */
  readonly after: readonly string[] | null;
}

export interface DumpPartEnd {
  /** Where the next part begins; `null` after the last. */
  readonly next: DumpPosition | null;
  /** Rows in this part. */
  readonly rows: number;
  /** Of those, how many each table has: by its place in `Dump.tables`, in order, and only the tables that have any here. */
  readonly rowsOf: readonly (readonly [table: number, rows: number])[];
  /** Tables whose last row has been written, from the beginning of the dump. */
  readonly tablesDone: number;
}

export const DUMP_START: DumpPosition = { step: 0, after: null };
