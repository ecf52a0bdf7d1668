import { ReplicaError } from "../../errors.js";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";

// By the beginning of the code of SQLite or of the file system; the first that fits counts.
const MEANINGS: readonly (readonly [codes: RegExp, words: string, hint: string])[] = [
  [
    /^(SQLITE_FULL|ENOSPC|EDQUOT)/,
    "the disk is full",
    "Free space on its disk: a pull needs up to three times the size of the database while it runs.",
  ],
  [
    /^SQLITE_(BUSY|LOCKED)/,
    "another program holds a lock on it",
    "End the other program's transaction, or try again when it is done.",
  ],
  [
    /^(SQLITE_READONLY|EACCES|EPERM|EROFS)/,
    "it cannot be written to",
    "Make the file and its folder writable for this user.",
  ],
  [
    /^(SQLITE_CANTOPEN|ENOENT|ENOTDIR)/,
    "it, or a file beside it, cannot be opened",
    "Check that its folder exists, and that this user may write there.",
  ],
  [/^(SQLITE_IOERR|EIO)/, "the disk or its file system failed", "Look at the disk and the system's log."],
];

/** What SQLite or the file system says when a local database is written, as `LOCAL_DATABASE`; anything else as it is. To be thrown. */
export function mapTargetError(error: unknown, what: string): unknown {
  if (error instanceof ReplicaError || !(error instanceof Error)) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined || !(isSqliteError(error) || "syscall" in error)) return error;
  const meaning = MEANINGS.find(([codes]) => codes.test(code));
  if (meaning === undefined)
    return new ReplicaError("LOCAL_DATABASE", `${what}: ${error.message} (${code})`, { cause: error });
  const [, words, hint] = meaning;
  return new ReplicaError("LOCAL_DATABASE", `${what}: ${words} (${code}: ${error.message})`, {
    hint,
    retryable: true,
    cause: error,
  });
}

/** Whether SQLite finds that what it opened is no database, or not a whole one. */
export function isDamage(error: unknown): boolean {
  return isSqliteError(error) && /^SQLITE_(NOTADB|CORRUPT)/.test(error.code);
}
