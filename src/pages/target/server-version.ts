/** A version as the server has it. */
export interface ServerVersion {
  /** Id and generation as the server said them; `null` where it is a plain one, which knows none. */
  readonly database: string | null;
  readonly generation: number | null;
  /** Of the database, in bytes. */
  readonly pageSize: number;
  readonly pageCount: number;
  /** Combined hash of all pages, in the database's page size. */
  readonly rootHash: Uint8Array;
  /** The first 100 bytes of page 1: SQLite changes a few of them when it writes the version to a file that is in use. Empty where there are no pages. */
  readonly pageOneHeader: Uint8Array;
  readonly pageOneHash: Uint8Array;
}
