// Reads an NDJSON export into a SQLite file whose tables are there already.
//
//   npm install better-sqlite3
//   node restore-ndjson.mjs dump.ndjson restored.db          rows with their tables' names
//   node restore-ndjson.mjs users.ndjson restored.db users   bare rows, as stream({ table: "users" }) gives them
//
// All rows go in, or none. Foreign keys are not looked at: `PRAGMA foreign_key_check` tells about them afterwards.
import { createReadStream } from "node:fs";
import Database from "better-sqlite3";

const [file, path, only] = process.argv.slice(2);
if (!file || !path) {
  console.error("Usage: node restore-ndjson.mjs <file.ndjson> <database> [table]");
  process.exit(2);
}

let rows = 0;
let place = path;
let database;
try {
  database = new Database(path, { fileMustExist: true });
  // A child may come before its parent.
  database.pragma("foreign_keys = OFF");
  const tables = new Map();
  database.exec("BEGIN IMMEDIATE");
  place = file;
  for await (const line of linesOf(file)) {
    place = `${file}, line ${rows + 1}`;
    const { name, row } = read(line);
    if (!tables.has(name)) tables.set(name, describe(name));
    insert(tables.get(name), row);
    rows += 1;
  }
  database.exec("COMMIT");
  console.log(`${rows} rows`);
} catch (error) {
  console.error(`${place}: ${error.message}. Nothing was written.`);
  process.exitCode = 1;
} finally {
  // What was not committed is gone.
  database?.close();
}

/** A line ends with LF alone. Not node:readline: for it U+2028, which may stand in JSON, ends a line too. */
async function* linesOf(file) {
  let pieces = [];
  for await (const text of createReadStream(file, "utf8")) {
    const [first, ...others] = text.split("\n");
    pieces.push(first);
    for (const next of others) {
      yield pieces.join("");
      pieces = [next];
    }
  }
  if (pieces.join("") !== "") throw new Error("the last line does not end: the file was cut short");
}

function read(line) {
  const value = JSON.parse(line);
  const { table: name, row } = only ? { table: only, row: value } : (value ?? {});
  if (typeof name !== "string") throw new Error("a bare row: give the name of its table as the third argument");
  if (typeof row !== "object" || row === null) throw new Error("no row");
  return { name, row };
}

/** Columns by name, and statements by what stands in a row. */
function describe(name) {
  const columns = new Map();
  for (const { name: column, type, hidden } of database.pragma(`table_xinfo(${quote(name)})`)) {
    // Those that are computed are exported too, and computed again.
    columns.set(column, { computed: hidden > 1, numeric: !isText(type) });
  }
  if (columns.size === 0) throw new Error(`there is no table ${name} to restore into: create it first`);
  return { name, columns, statements: new Map() };
}

function insert({ name, columns, statements }, row) {
  const names = Object.keys(row).filter((column) => !columns.get(column)?.computed);
  const holes = names.map((column) => (row[column]?.type === "text" ? "CAST(? AS TEXT)" : "?"));
  const sql = `INSERT INTO ${quote(name)}(${names.map(quote).join(",")}) VALUES (${holes.join(",")})`;
  if (!statements.has(sql)) statements.set(sql, database.prepare(sql));
  statements.get(sql).run(names.map((column) => toSqlite(row[column], columns.get(column))));
}

/** The forms of docs/exports.md, read back. Digits become an integer by themselves where the column has such a type. */
function toSqlite(value, column) {
  if (typeof value === "object" && value !== null) return Buffer.from(value.base64, "base64");
  if (column?.numeric && (value === "Infinity" || value === "-Infinity")) return Number(value);
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return BigInt(value);
  return value;
}

/** https://sqlite.org/datatype3.html#determination_of_column_affinity: of these text stays text. */
function isText(type) {
  return !/INT/i.test(type) && (type === "" || /CHAR|CLOB|TEXT|BLOB|^ANY$/i.test(type));
}

function quote(name) {
  return `"${name.replaceAll('"', '""')}"`;
}
