import { resolve } from "node:path";
import { ReplicaError } from "../../../errors.js";
import { quoteIdentifier } from "../../../sqlite/identifier.js";
import type { SqliteRow } from "../../../sqlite/sqlite-value.js";
import { RowDigest } from "../../row-digest.js";
import type { TableSource } from "../table-source.js";
import { batchRows } from "./batch-rows.js";
import { Connections } from "./connections.js";
import { describeTable } from "./describe-table.js";
import { readPoint } from "./read-point.js";
import { rangeSql, readSql, selectSql } from "./read-sql.js";

/**
 * A SQLite file to copy from, which other programs may write, replace and move meanwhile. It is opened read-only, on first use; a relative path
 * starts from the working directory. Each read holds one snapshot until its last row: a source in WAL mode goes on being written; in
 * another journal mode its writers meanwhile get SQLITE_BUSY once their busy timeout is over. Values are copied as they are stored; `numeric`
 * changes nothing.
 * @throws `INVALID_CONFIGURATION` for a database in memory.
 */
export function createSqliteSource(path: string): TableSource {
  if (path === "" || path === ":memory:") {
    throw new ReplicaError("INVALID_CONFIGURATION", `sqlite:${path} names no file to copy from`, {
      hint: "Use sqlite:PATH.",
    });
  }
  const connections = new Connections(resolve(path));
  return {
    kind: "sqlite",
    describe: (name, { columns, signal }) =>
      connections.use(signal, (session) => describeTable(session, name, columns)),
    readPoint: (table, cursorColumn, lagSeconds, signal) =>
      connections.use(signal, (session) => readPoint(session, table, cursorColumn, lagSeconds, signal)),
    stillOpen: async () => [],
    read(request) {
      const { text, parameters } = readSql(request);
      return connections.stream(request.signal, (session) =>
        batchRows(request, session.rows(text, parameters, request.signal), "plain"),
      );
    },
    digest: (table, range, signal) =>
      connections.use(signal, async (session) => {
        const digest = new RowDigest();
        const { text, parameters } = rangeSql(table, range);
        for await (const rows of session.rows(text, parameters, signal)) for (const row of rows) digest.add(row);
        return { rows: digest.rows, digest: digest.digest };
      }),
    readRange(table, range, batchSize, signal) {
      const { text, parameters } = rangeSql(table, range);
      const request = { table, keyset: table.primaryKey, batchSize, signal };
      return connections.stream(signal, (session) =>
        batchRows(request, session.rows(text, parameters, signal), "bigint"),
      );
    },
    readKeys: (table, keys, signal) =>
      connections.use(signal, (session) => {
        const equal = table.primaryKey.map((name) => `${quoteIdentifier(name)} COLLATE BINARY = ?`);
        const sql = selectSql(table, equal, []);
        const rows: SqliteRow[] = [];
        for (const key of keys) rows.push(...session.all(sql, key));
        return rows;
      }),
    hasValues: (table, column, signal) =>
      connections.use(signal, (session) => {
        const sql = `SELECT 1 FROM ${quoteIdentifier(table.name)} WHERE ${quoteIdentifier(column)} IS NOT NULL LIMIT 1`;
        return session.all(sql).length > 0;
      }),
    async close() {
      connections.close();
    },
  };
}
