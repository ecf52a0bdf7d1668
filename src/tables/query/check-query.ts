import { ReplicaError } from "../../errors.js";
import { type ScannedSql, scanSql } from "./scan-sql.js";

const READING = new Set(["SELECT", "WITH", "VALUES"]);
const HINT =
  "This is a read-only copy: send one SELECT, VALUES, WITH ... SELECT, or EXPLAIN of one. Write to the source instead.";

/**
 * The SQL's text, if it is one statement that by its first words only reads. It has to be looked at before SQLite compiles it, because some
 * pragmas take effect while they are compiled, also behind EXPLAIN.
 * @throws `QUERY_FAILED` for what is no SQL at all, `QUERY_REFUSED` for anything else than one reading statement.
 */
export function checkQuery(sql: unknown): ScannedSql {
  if (typeof sql !== "string") {
    throw new ReplicaError("QUERY_FAILED", `The SQL of a query is a string, not ${describe(sql)}.`);
  }
  if (sql.includes("\0")) throw new ReplicaError("QUERY_FAILED", "The SQL has a NUL character in it.");
  const scanned = scanSql(sql);
  const [first, ...next] = scanned.words;
  if (first === undefined && !scanned.several) {
    if (sql.trim() === "" || !/[^\s;]/.test(sql)) throw new ReplicaError("QUERY_FAILED", "The SQL is empty.");
    throw refused("The SQL does not begin with a statement");
  }
  if (scanned.several) throw refused("The SQL has more than one statement");
  const verb = first === "EXPLAIN" ? (next[0] === "QUERY" ? next[2] : next[0]) : first;
  if (verb === undefined || !READING.has(verb)) throw refused(`${scanned.words[0]} is not a query`);
  return scanned;
}

/** @throws `QUERY_REFUSED` unless SQLite says that the statement writes nothing and gives rows. */
export function checkStatement(statement: { readonly readonly: boolean; readonly reader: boolean }): void {
  if (!statement.readonly || !statement.reader) throw refused("The statement writes");
}

function refused(what: string): ReplicaError {
  return new ReplicaError("QUERY_REFUSED", `${what}.`, { hint: HINT });
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
}
