import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { ReplicaError } from "../../errors.js";
import { mapSourceError } from "../../sqlite/map-source-error.js";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";
import { HEADER_BYTES, readDatabaseHeader } from "./database-header.js";

/** @param what follows the file's name */
export function notADatabase(path: string, what: string, cause?: unknown): ReplicaError {
  return new ReplicaError("NOT_A_DATABASE", `${path} ${what}`, {
    hint: "Give the path of a plain SQLite file, which `sqlite3 FILE .tables` can open.",
    ...(cause !== undefined && { cause }),
  });
}

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
  // SQLite calls it damaged.
  const missing = said.code.startsWith("SQLITE_CORRUPT") ? whatIsMissing(path) : undefined;
  return missing === undefined ? mapSourceError(said, path) : notADatabase(path, missing, said);
}

/** @returns words for `notADatabase` */
export function cutShort(bytes: number, pages: number, pageSize: number): string {
  return `is cut short: it has ${bytes} bytes, where ${pages} pages of ${pageSize} bytes take ${pages * pageSize}`;
}

function whatIsMissing(path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const start = Buffer.alloc(HEADER_BYTES);
    const { size } = fstatSync(fd);
    const header = readDatabaseHeader(start.subarray(0, readSync(fd, start, 0, HEADER_BYTES, 0)));
    if (header?.pageCount == null || size >= header.pageCount * header.pageSize) return undefined;
    return cutShort(size, header.pageCount, header.pageSize);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
