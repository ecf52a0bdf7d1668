import { ReplicaError } from "../../errors.js";
import { isSqliteError, mapSqliteError } from "../../sqlite/map-sqlite-error.js";

/**
 * What SQLite, the file system or the lock say about `accounts.db`, as `PAGE_STORE`; any other error of ours as it is. To be thrown.
 * @param what begins the message, such as `The accounts in /data cannot be opened`.
 */
export function mapAccountsError(error: unknown, what: string): unknown {
  if (error instanceof ReplicaError) return error.code === "LOCAL_DATABASE" ? asPageStore(error) : error;
  if (!isSqliteError(error)) {
    const reason = error instanceof Error ? error.message : String(error);
    return new ReplicaError("PAGE_STORE", `${what}: ${reason}`, {
      hint: "Give this user the right to write there, or give another `dir`.",
      retryable: true,
      cause: error,
    });
  }
  return asPageStore(mapSqliteError(error, what) as ReplicaError, error.code);
}

/** What the catalogue of SQLite's errors advises is meant for tables that can be copied again. */
function asPageStore({ message, retryable, hint, cause }: ReplicaError, code = ""): ReplicaError {
  const isDamaged = /^SQLITE_(CORRUPT|NOTADB)/.test(code);
  const isFull = code.startsWith("SQLITE_FULL");
  const ours = isDamaged
    ? "Restore accounts.db from a backup."
    : isFull
      ? "Free space on the disk of the page server's folder."
      : hint;
  return new ReplicaError("PAGE_STORE", message, { retryable, cause, ...(ours !== undefined && { hint: ours }) });
}
