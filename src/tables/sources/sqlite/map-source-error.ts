import { ReplicaError, type ReplicaErrorCode } from "../../../errors.js";
import { isSqliteError } from "../../../sqlite/map-sqlite-error.js";

interface Meaning {
  readonly code: ReplicaErrorCode;
  readonly retryable: boolean;
  readonly words?: string;
  readonly hint: string;
}

// By the beginning of SQLite's result code.
const MEANINGS: readonly (readonly [start: string, meaning: Meaning])[] = [
  [
    "SQLITE_BUSY",
    {
      code: "SOURCE_UNREACHABLE",
      retryable: true,
      words: "another program has locked it",
      hint: "The next run tries again. PRAGMA journal_mode = WAL at the source lets programs read while another writes.",
    },
  ],
  [
    "SQLITE_LOCKED",
    { code: "SOURCE_UNREACHABLE", retryable: true, words: "it is locked", hint: "The next run tries again." },
  ],
  [
    "SQLITE_READONLY",
    {
      code: "SOURCE_REFUSED",
      retryable: true,
      words: "it is in WAL mode or was left in the middle of a write, and this user may not write the files beside it",
      hint: "Start the program that writes it, or give this user the right to write to the file and its folder: SQLite needs that for the files beside it (-wal, -shm).",
    },
  ],
  [
    "SQLITE_CANTOPEN",
    {
      code: "SOURCE_REFUSED",
      retryable: true,
      words: "the file, or one beside it, cannot be opened",
      hint: "Give this user the right to read the file; where it is in WAL mode and no program has it open, SQLite also needs to write to its folder (-shm).",
    },
  ],
  [
    "SQLITE_IOERR",
    {
      code: "SOURCE_UNREACHABLE",
      retryable: true,
      hint: "Look at the disk and the system's log; the next run tries again.",
    },
  ],
  [
    "SQLITE_NOTADB",
    {
      code: "SOURCE_FAILED",
      retryable: false,
      words: "the file is no SQLite database, or an encrypted one",
      hint: "Give the path of a SQLite database as the source.",
    },
  ],
  [
    "SQLITE_CORRUPT",
    {
      code: "SOURCE_FAILED",
      retryable: false,
      words: "the file is damaged",
      hint: "Run PRAGMA integrity_check on the source and restore it from a backup.",
    },
  ],
];

/** An error of SQLite at the source as one of ours; anything else as it is. To be thrown. */
export function mapSourceError(error: unknown, path: string): unknown {
  if (!isSqliteError(error)) return error;
  const { code, message } = error;
  if (message.startsWith("no such table")) {
    return new ReplicaError("TABLE_MISSING", `The source ${path} has ${message}`, {
      hint: "Make the table again, or remove the task.",
      cause: error,
    });
  }
  const meaning = MEANINGS.find(([start]) => code.startsWith(start))?.[1];
  if (meaning !== undefined) {
    const words = meaning.words === undefined ? `${message} (${code})` : `${meaning.words} (${code}: ${message})`;
    return new ReplicaError(meaning.code, `The source ${path} cannot be read: ${words}`, {
      hint: meaning.hint,
      retryable: meaning.retryable,
      cause: error,
    });
  }
  const altered = message.startsWith("no such column");
  return new ReplicaError("SOURCE_FAILED", `The source ${path} failed: ${message} (${code})`, {
    hint: altered
      ? "The table was altered; the next run looks at it anew."
      : "Try the same on the file with the sqlite3 shell.",
    retryable: altered,
    cause: error,
  });
}
