import { ReplicaError } from "../../errors.js";
import { isSqliteError, mapSqliteError } from "../../sqlite/map-sqlite-error.js";

/** What SQLite says about the books as `DISK_LIMIT` or `LOCAL_DATABASE`; anything else as it is. To be thrown. */
export function mapBooksError(error: unknown): unknown {
  if (!isSqliteError(error) || !error.code.startsWith("SQLITE_FULL")) {
    return mapSqliteError(error, "Writing to the books of exports");
  }
  return new ReplicaError("DISK_LIMIT", "The disk of the export folder is full: its books cannot be written", {
    hint: "Free space on the disk, or remove old exports.",
    cause: error,
  });
}
