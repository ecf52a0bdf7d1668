import type Database from "better-sqlite3";
import type { DumpPartEnd, DumpPosition } from "./dump-position.js";
import type { DumpFormatName, DumpSelection } from "./dump-selection.js";
import type { FileForm } from "./file-form.js";

/** One form that a database can leave in. */
export interface DumpFormat extends FileForm {
  readonly name: DumpFormatName;
  /**
   * What the selection is as this format. Reads the schema alone, no rows.
   * @param database a connection that stands on a snapshot: nothing it reads may change for as long as the dump is used. Nothing is
   * written through it.
   * @throws `TABLE_MISSING` for a table that is not there or has no rows of its own; `INVALID_CONFIGURATION` for a selection that this
   * format has no form for (several tables as CSV); `LOCAL_DATABASE` where SQLite fails.
   */
  open(database: Database.Database, selection: DumpSelection): Dump;
}

/**
 * A dump is a row of *parts*. Each is a function of the snapshot, the selection and the position alone: whoever writes down the position
 * after a whole part can go on there in another process, and gets to the byte what would have come.
 */
export interface Dump {
  /**
   * Equal for two dumps that are sure to be the same bytes from equal snapshots and selections: a part may only follow one that was made
   * with the same fingerprint. It changes with the form and with SQLite.
   */
  readonly fingerprint: string;
  /** The tables whose rows are in it, in order. */
  readonly tables: readonly string[];
  /**
   * The part that begins there, chunk by chunk; begin with `DUMP_START`. A part ends with the rows, read some hundreds at once, with which it
   * reaches 1 MiB: never within one. Only the last may be less, or nothing. A table whose rows
   * cannot be named, one with columns `rowid`, `_rowid_` and `oid` and no INTEGER PRIMARY KEY, is in one part whatever its size. A chunk is mostly under 1 MiB, and of some 10 MiB at worst.
   * Memory stays bounded: some 10 MiB, and twice the largest value while it is being written. Returning the generator early leaves nothing
   * open.
   * @throws `LOCAL_DATABASE` where SQLite fails; in `sql`, for a row whose statement would be longer than the 1 000 000 000 bytes that SQLite reads.
   */
  part(position: DumpPosition): Generator<Buffer, DumpPartEnd, void>;
}
