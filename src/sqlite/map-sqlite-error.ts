import { ReplicaError } from "../errors.js";

interface Meaning {
  readonly words: string;
  readonly hint: string;
  readonly retryable: boolean;
}

// By primary result code; extended ones (`SQLITE_IOERR_WRITE`) begin with it.
const MEANINGS: readonly (readonly [code: string, meaning: Meaning])[] = [
  [
    "SQLITE_FULL",
    {
      words: "the disk is full",
      hint: "Free space on the disk of the local database; the next run goes on where this one was.",
      retryable: true,
    },
  ],
  [
    "SQLITE_BUSY",
    {
      words: "another program holds a lock on it",
      hint: "End the other program's write transaction; the next run goes on where this one was.",
      retryable: true,
    },
  ],
  [
    "SQLITE_LOCKED",
    { words: "the table is in use", hint: "End the statement that still reads or writes it.", retryable: true },
  ],
  [
    "SQLITE_READONLY",
    { words: "it cannot be written to", hint: "Make the file and its folder writable for this user.", retryable: true },
  ],
  [
    "SQLITE_CORRUPT",
    {
      words: "the file is damaged",
      hint: "Move the file away and restart: the tables are copied anew.",
      retryable: false,
    },
  ],
  [
    "SQLITE_NOTADB",
    {
      words: "the file is no SQLite database",
      hint: "Give another path, or move the file away.",
      retryable: false,
    },
  ],
  [
    "SQLITE_IOERR",
    {
      words: "the disk or its file system failed",
      hint: "Look at the disk and the system's log; the next run goes on where this one was.",
      retryable: true,
    },
  ],
  [
    "SQLITE_CANTOPEN",
    {
      words: "the file, or one beside it, cannot be opened",
      hint: "Check that the folder exists and that this user may write there.",
      retryable: true,
    },
  ],
  [
    "SQLITE_CONSTRAINT",
    {
      words: "a constraint of the local table refuses a row",
      hint: "Drop the constraint or unique index of the local table that the message names: the source allows what it forbids, if only between two of its writes.",
      retryable: false,
    },
  ],
  [
    "SQLITE_TOOBIG",
    {
      words: "a value or row is larger than SQLite takes",
      hint: "Leave the column out with `columns`.",
      retryable: false,
    },
  ],
];

/** Whether it comes from SQLite, by way of any copy of the driver. */
export function isSqliteError(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("SQLITE_")
  );
}

/**
 * An error of SQLite as `LOCAL_DATABASE`; anything else as it is. To be thrown.
 * @param what begins the message, such as `Writing to table "users"`.
 */
export function mapSqliteError(error: unknown, what: string): unknown {
  if (!isSqliteError(error)) return error;
  const { code } = error;
  const meaning = MEANINGS.find(([start]) => code === start || code.startsWith(`${start}_`))?.[1];
  if (meaning === undefined) {
    return new ReplicaError("LOCAL_DATABASE", `${what}: ${error.message} (${code})`, { cause: error });
  }
  return new ReplicaError("LOCAL_DATABASE", `${what}: ${meaning.words} (${code}: ${error.message})`, {
    hint: meaning.hint,
    retryable: meaning.retryable,
    cause: error,
  });
}
