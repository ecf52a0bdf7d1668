/** Bytes before the first hash in a version's `.hashes`. */
export const HASHES_OFFSET = 128;

/** Which file the hashes are of. */
export interface HashesHeader {
  readonly generation: number;
  readonly pageSize: number;
  readonly pageCount: number;
  /** Over all hashes. */
  readonly rootHash: Uint8Array;
  /** Size of the database file. */
  readonly bytes: number;
  /** When it was written last, in nanoseconds. */
  readonly mtimeNs: bigint;
}
