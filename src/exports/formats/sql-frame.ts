import type { SnapshotReader } from "./snapshot-reader.js";

/** What stands before the first table. @param raw whether virtual tables are put where SQLite keeps them. */
export function header(reader: SnapshotReader, whole: boolean, raw: boolean): string {
  const lines: string[] = [];
  // Shells since 3.42 refuse to write into sqlite_schema unless told.
  if (raw) lines.push(".dbconfig defensive off");
  const setting = (name: string): unknown => reader.value(`PRAGMA main.${name}`);
  // An empty database still takes these. Others than UTF-8 hold text as other bytes, so a part needs it too.
  if (reader.utf16) lines.push(`PRAGMA encoding='${setting("encoding")}';`);
  if (whole) {
    if (setting("page_size") !== 4096n) lines.push(`PRAGMA page_size=${setting("page_size")};`);
    if (setting("auto_vacuum") !== 0n) lines.push(`PRAGMA auto_vacuum=${setting("auto_vacuum")};`);
  }
  // Rows that were let in are let in again.
  lines.push("PRAGMA foreign_keys=OFF;", "PRAGMA ignore_check_constraints=ON;", "BEGIN TRANSACTION;");
  if (whole) {
    for (const name of ["user_version", "application_id"]) {
      if (setting(name) !== 0n) lines.push(`PRAGMA ${name}=${setting(name)};`);
    }
  }
  return `${lines.join("\n")}\n`;
}

export function footer(raw: boolean): string {
  return `COMMIT;\n${raw ? "PRAGMA writable_schema=RESET;\n" : ""}PRAGMA ignore_check_constraints=OFF;\n`;
}
