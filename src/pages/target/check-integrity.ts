import { writeSync } from "node:fs";
import { loadDriver } from "../../drivers/load-driver.js";
import { ReplicaError } from "../../errors.js";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";

/** Where page 1 says how the database is journalled: https://sqlite.org/fileformat2.html#file_format_version_numbers */
const JOURNAL_OFFSET = 18;
const MOST_LINES = 5;

/**
 * Lets SQLite open a staged file without making files beside it, and what page 1 said before.
 * @param mode `rollback`, or what a page 1 says, from which its header is enough
 */
export function setJournalMode(fd: number, mode: "rollback" | Uint8Array): void {
  const bytes = mode === "rollback" ? Uint8Array.of(1, 1) : mode.subarray(JOURNAL_OFFSET, JOURNAL_OFFSET + 2);
  writeSync(fd, bytes, 0, 2, JOURNAL_OFFSET);
}

/**
 * `PRAGMA integrity_check` over a staged file, which is the same afterwards.
 * @throws `INTEGRITY_FAILED` with the first lines of what SQLite says
 */
export async function checkIntegrity(fd: number, stagedPath: string, header: Uint8Array): Promise<void> {
  const Driver = await loadDriver("better-sqlite3");
  let lines: readonly string[];
  setJournalMode(fd, "rollback");
  try {
    const database = new Driver(stagedPath, { readonly: true });
    try {
      database.pragma("trusted_schema = OFF");
      const rows = database.pragma(`integrity_check(${MOST_LINES})`) as readonly { readonly integrity_check: string }[];
      lines = rows.map((row) => row.integrity_check);
    } finally {
      database.close();
    }
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    throw failed([error.message], error);
  } finally {
    setJournalMode(fd, header);
  }
  if (lines.join() !== "ok") throw failed(lines);
}

function failed(lines: readonly string[], cause?: unknown): ReplicaError {
  return new ReplicaError("INTEGRITY_FAILED", `SQLite finds what was pulled damaged: ${lines.join("; ")}`, {
    hint: "Nothing was replaced. Repair the database that was pushed. Where it needs functions, collations or modules of a program's own, pull without this check.",
    ...(cause === undefined ? {} : { cause }),
  });
}
