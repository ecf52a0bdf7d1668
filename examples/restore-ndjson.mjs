// Reads an NDJSON export into a SQLite file whose tables are there already.
//
//   npm install better-sqlite3
//   node restore-ndjson.mjs dump.ndjson restored.db          rows with their tables' names: an export of several tables
//   node restore-ndjson.mjs users.ndjson restored.db users   bare rows: an export of one table
//
// All rows go in, or none.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import Database from "better-sqlite3";

const [file, path, only] = process.argv.slice(2);
if (!file || !path) {
  console.error("Usage: node restore-ndjson.mjs <file.ndjson> <database> [table]");
  process.exit(2);
}

const database = new Database(path, { fileMustExist: true });
const inserts = new Map();
let rows = 0;
let line = 0;

database.exec("BEGIN");
try {
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    const { table, row } = only ? { table: only, row: JSON.parse(text) } : JSON.parse(text);
    insertOf(table, row).run(Object.values(row).map(toSqlite));
    rows += 1;
  }
  database.exec("COMMIT");
  console.log(`${rows} rows`);
} catch (error) {
  console.error(`${line === 0 ? file : `line ${line}`}: ${error.message}`);
  process.exitCode = 1;
} finally {
  // What was not committed is gone.
  database.close();
}

function insertOf(table, row) {
  if (typeof table !== "string") throw new Error("bare rows: say the table's name as the third argument");
  let insert = inserts.get(table);
  if (!insert) {
    const names = Object.keys(row).map(quote);
    insert = database.prepare(
      `INSERT INTO ${quote(table)}(${names.join(",")}) VALUES (${names.map(() => "?").join(",")})`,
    );
    inserts.set(table, insert);
  }
  return insert;
}

/** The form of `docs/exports.md`, read back. A column of type INTEGER makes an integer of digits by itself, of any size. */
function toSqlite(value) {
  if (value === "Infinity" || value === "-Infinity") return Number(value);
  if (typeof value !== "object" || value === null) return Number.isInteger(value) ? BigInt(value) : value;
  const bytes = Buffer.from(value.base64, "base64");
  return value.type === "text" ? bytes.toString() : bytes;
}

function quote(name) {
  return `"${name.replaceAll('"', '""')}"`;
}
