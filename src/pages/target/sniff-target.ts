import { closeSync, openSync, readSync } from "node:fs";
import { hasErrorCode } from "../../files/error-code.js";
import { HEADER_BYTES, readDatabaseHeader } from "../source/database-header.js";
import { mapTargetError } from "./target-error.js";

/** The first bytes of the file that say whether it is a database. Not while SQLite has it open in this process: closing it drops all locks. */
export function sniffTarget(path: string): "missing" | "empty" | "database" | "foreign" {
  const header = Buffer.alloc(HEADER_BYTES);
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return "missing";
    throw mapTargetError(error, `The local database ${path} cannot be read`);
  }
  try {
    const bytes = readSync(fd, header, 0, header.length, 0);
    if (bytes === 0) return "empty";
    return readDatabaseHeader(header.subarray(0, bytes)) === null ? "foreign" : "database";
  } catch (error) {
    throw mapTargetError(error, `The local database ${path} cannot be read`);
  } finally {
    closeSync(fd);
  }
}
