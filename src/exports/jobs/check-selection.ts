import { ReplicaError } from "../../errors.js";
import { openSource } from "../dump/open-source.js";
import type { ExportFormat } from "../export-job.js";
import { DUMP_FORMATS } from "../formats/dump-formats.js";
import type { DumpSelection } from "../formats/dump-selection.js";

/**
 * Whether a database can be exported so, as it is now. Reads its schema alone.
 * @throws `TABLE_MISSING`, `INVALID_EXPORT` for a selection that the format has no form for, `LOCAL_DATABASE`
 */
export async function checkSelection(
  path: string,
  format: ExportFormat,
  selection: DumpSelection,
  signal: AbortSignal,
): Promise<void> {
  const { database } = await openSource(path, signal);
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
