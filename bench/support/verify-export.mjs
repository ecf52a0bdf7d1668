import { readFileSync } from "node:fs";
import Database from "better-sqlite3";

/** The rows of a table. @throws unless an export has as many of a text that is once in each */
export function verifyExport(file, database, table, mark) {
  const opened = new Database(database, { readonly: true });
  const rows = opened.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  opened.close();
  const bytes = readFileSync(file);
  let found = 0;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + mark.length)) found += 1;
  if (found !== rows) throw new Error(`${file} has ${found} of the ${rows} rows of ${table}`);
  return rows;
}
