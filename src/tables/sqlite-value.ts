/**
 * A value as SQLite keeps it. A `bigint` is an INTEGER, a `number` is a REAL unless it is an integer that a column of INTEGER affinity
 * takes, a string is TEXT, bytes are a BLOB.
 */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/** The values of one row, in the order of the columns that were asked for. */
export type SqliteRow = readonly SqliteValue[];
