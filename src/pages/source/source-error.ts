import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { ReplicaError } from "../../errors.js";
import { mapSourceError } from "../../sqlite/map-source-error.js";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";
import { HEADER_BYTES, readDatabaseHeader } from "./database-header.js";
import { badFirstPage, cutShort, notADatabase } from "./not-a-database.js";

/** @throws `NOT_A_DATABASE` where the path leads to something else than a file; one that leads nowhere is left to others. */
export function checkIsFile(path: string): void {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch {
    return;
  }
  if (stats.isFile()) return;
  throw notADatabase(
    path,
    `is ${stats.isDirectory() ? "a folder" : "a device, pipe or socket"}, and no SQLite database`,
  );
}

/**
 * What opening or reading a database failed with, as ours; anything else as it is. To be thrown, when no connection has the file open any more: it may
 * look at it.
 */
export function mapPageSourceError(error: unknown, path: string): unknown {
  const said = error instanceof ReplicaError && isSqliteError(error.cause) ? error.cause : error;
  if (!isSqliteError(said)) return error;
  if (said.code.startsWith("SQLITE_NOTADB")) {
    return notADatabase(path, "is no SQLite database: it is in another format, or encrypted", said);
  }
  const isDamaged = said.code.startsWith("SQLITE_CORRUPT");
  return (isDamaged ? whatIsWrong(path, said) : undefined) ?? mapSourceError(said, path);
}

/** SQLite calls a file damaged that is no database, but for how it begins, and one that is not all there. */
function whatIsWrong(path: string, cause: unknown): ReplicaError | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const start = Buffer.alloc(HEADER_BYTES);
    const header = readDatabaseHeader(start.subarray(0, readSync(fd, start, 0, HEADER_BYTES, 0)));
    if (header === null) return badFirstPage(path, cause);
    const { size } = fstatSync(fd);
    const { pageSize, pageCount } = header;
    if (pageCount === null || size >= pageCount * pageSize) return undefined;
    return cutShort(path, size, { pageSize, pageCount }, cause);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
