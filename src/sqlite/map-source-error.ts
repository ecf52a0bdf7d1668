import { ReplicaError } from "../errors.js";
import { isSqliteError } from "./map-sqlite-error.js";

// By the beginning of SQLite's code; the first that fits counts.
const MEANINGS: readonly (readonly [code: string, words: string, hint: string, retryable: boolean])[] = [
  ["SQLITE_NOTADB", "is no SQLite database, or an encrypted one", "Give the path of a plain SQLite file.", false],
  ["SQLITE_CORRUPT", "is damaged", "Look at what `PRAGMA integrity_check` says, and put a backup in its place.", false],
  [
    "SQLITE_BUSY",
    "is locked by another program, which does not let go of it",
    "End the other program's transaction, or its `PRAGMA locking_mode = EXCLUSIVE`.",
    true,
  ],
  [
    "SQLITE_READONLY_ROLLBACK",
    "was left in the middle of a transaction by a program that died, which whoever only reads it cannot undo",
    "Open it once with a program that may write, for instance `sqlite3 FILE 'SELECT 1 FROM sqlite_schema'`: that rolls the transaction back.",
    true,
  ],
  [
    "SQLITE_READONLY",
    "is in WAL mode, and the files beside it that all its readers share cannot be used",
    "Let this user write to the database's folder, or have another program keep the database open.",
    true,
  ],
  [
    "SQLITE_CANTOPEN",
    "cannot be opened",
    "Check that this user may read the file, and in WAL mode write to its folder.",
    true,
  ],
  [
    "SQLITE_IOERR",
    "cannot be read: the disk or its file system failed",
    "Look at the disk and the system's log.",
    true,
  ],
];

/** What SQLite says about a database that is read, as `LOCAL_DATABASE`; anything else as it is. To be thrown. */
export function mapSourceError(error: unknown, path: string): unknown {
  if (!isSqliteError(error)) return error;
  const meaning = MEANINGS.find(([start]) => error.code.startsWith(start));
  const said = `${error.code}: ${error.message}`;
  if (meaning === undefined)
    return new ReplicaError("LOCAL_DATABASE", `The database ${path} failed (${said})`, { cause: error });
  const [, words, hint, retryable] = meaning;
  return new ReplicaError("LOCAL_DATABASE", `The database ${path} ${words} (${said})`, {
    hint,
    retryable,
    cause: error,
  });
}
