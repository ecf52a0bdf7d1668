import { readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../../files/durable-folder.js";
import { hasErrorCode } from "../../files/error-code.js";
import { formatSyncRecord, parseSyncRecord } from "./parse-sync-record.js";
import type { SyncRecord } from "./remembered-version.js";
import { mapTargetError } from "./target-error.js";
import { writeWhole } from "./write-whole.js";

const ENDING = "-replica.json";
const NOTHING: SyncRecord = { synced: null, pending: null, replacing: null };
/** Far more than any record has. */
const MAX_BYTES = 64 * 1024;

/**
 * What is remembered beside a database of its syncs.
 * @param path of the database, as `resolveTarget` gives it
 * @returns an empty record where there is none. Also where it cannot be understood: then `notice` says so, for the user.
 * @throws `LOCAL_DATABASE` where it is there and cannot be read
 */
export async function readSyncRecord(path: string): Promise<{ record: SyncRecord; notice: string | null }> {
  const beside = `${path}${ENDING}`;
  let text: string;
  try {
    if ((await stat(beside)).size > MAX_BYTES) return unread(beside, "it is too large");
    text = await readFile(beside, "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return { record: NOTHING, notice: null };
    throw mapTargetError(error, `What is remembered of syncs, ${beside}, cannot be read`);
  }
  const parsed = parseSyncRecord(text);
  return typeof parsed === "string" ? unread(beside, parsed) : { record: parsed, notice: null };
}

function unread(beside: string, why: string): { record: SyncRecord; notice: string } {
  const notice = `${beside} was left aside: ${why}.`;
  return { record: NOTHING, notice };
}

/**
 * In one durable step; a record with nothing in it removes the file. Readable by who may read the database.
 * @throws `LOCAL_DATABASE`
 */
export async function writeSyncRecord(path: string, record: SyncRecord): Promise<void> {
  const beside = `${path}${ENDING}`;
  try {
    if (record.synced === null && record.pending === null && record.replacing === null) {
      await rm(beside, { force: true });
      await syncFolder(dirname(beside));
      return;
    }
    await writeWhole(beside, formatSyncRecord(record), await modeOf(path));
  } catch (error) {
    throw mapTargetError(error, `What is to be remembered of syncs, ${beside}, cannot be written`);
  }
}

/** Hashes of pages tell something of them: who may not read the database may not read these either. */
async function modeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mode & 0o666;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return 0o600;
    throw error;
  }
}
