import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";
import { mayCopyFile } from "../../sqlite/copy-file.js";
import { isUnshared, openSource } from "../../sqlite/open-source.js";
import type { ExportFormat } from "../export-job.js";
import { DUMP_FORMATS } from "../formats/dump-formats.js";
import type { DumpSelection } from "../formats/dump-selection.js";

/**
 * Whether a database can be exported so, as it is now. Reads its schema alone, which for one that can only be copied as a file is done when it has been.
 * @throws `TABLE_MISSING`, `INVALID_EXPORT` for a selection that the format has no form for, `LOCAL_DATABASE`
 */
export async function checkSelection(
  path: string,
  format: ExportFormat,
  selection: DumpSelection,
  signal: AbortSignal,
): Promise<void> {
  const database = await openUnlessUnshared(path, signal);
  if (database === null) return;
  try {
    DUMP_FORMATS[format].open(database, selection);
  } catch (error) {
    if (!(error instanceof ReplicaError) || error.code !== "INVALID_CONFIGURATION") throw error;
    throw new ReplicaError("INVALID_EXPORT", `tables: ${error.message}`, {
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  } finally {
    database.close();
  }
}

async function openUnlessUnshared(path: string, signal: AbortSignal): Promise<Database.Database | null> {
  try {
    return (await openSource(path, signal)).database;
  } catch (error) {
    if (isUnshared(error) && mayCopyFile(path)) return null;
    throw error;
  }
}
