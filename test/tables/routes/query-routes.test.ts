import { existsSync, readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { waitFor } from "../../support/wait.js";
import { startRoutes, TOKEN } from "./routes-host.js";

describe("POST /query", () => {
  it("gives columns and rows: large integers and infinities as strings, BLOBs as base64", async () => {
    const { call } = await startRoutes();
    const { status, body } = await call("POST", "/query", { sql: "SELECT *, -big AS minus FROM t ORDER BY id" });
    expect([status, body]).toEqual([
      200,
      {
        columns: ["id", "name", "big", "bytes", "share", "minus"],
        rows: [
          [1, "one", "9007199254740993", { base64: "AAEC" }, "Infinity", "-9007199254740993"],
          [2, null, 5, null, 0.5, -5],
        ],
      },
    ]);
  });

  it("takes every kind of parameter", async () => {
    const { call } = await startRoutes();
    const params = [null, true, false, 7, 1.5, "it's", { base64: "AAEC" }, { integer: "9007199254740993" }];
    const sql = `SELECT ${params.map(() => "typeof(?)").join(", ")}`;
    expect((await call("POST", "/query", { sql, params })).body.rows).toEqual([
      ["null", "integer", "integer", "integer", "real", "text", "blob", "integer"],
    ]);
    const echo = await call("POST", "/query", { sql: `SELECT ${params.map(() => "?").join(", ")}`, params });
    expect(echo.body.rows).toEqual([[null, 1, 0, 7, 1.5, "it's", { base64: "AAEC" }, "9007199254740993"]]);
  });

  it.each([
    [{}, /^sql must be a SELECT statement/],
    [{ sql: 5 }, /^sql must be/],
    [{ sql: "  " }, /^sql must be/],
    [{ sql: "SELECT 1", parms: [] }, /^parms is unknown: did you mean "params"/],
    [{ sql: "SELECT ?", params: "x" }, /^params must be a list/],
    [{ sql: "SELECT ?", params: [[1]] }, /^params\[0\] must be null, true/],
    [{ sql: "SELECT ?", params: [1, {}] }, /^params\[1\] must be null, true/],
    [{ sql: "SELECT ?", params: [{ base64: "AAE" }] }, /^params\[0\] must be/],
    [{ sql: "SELECT ?", params: [{ base64: "AAEC", integer: "1" }] }, /^params\[0\] must be/],
    [{ sql: "SELECT ?", params: [{ integer: "9223372036854775808" }] }, /^params\[0\] must be/],
    [{ sql: "SELECT ?", params: [{ integer: "1.5" }] }, /^params\[0\] must be/],
    [{ sql: "SELECT ?", params: [2 ** 53] }, /^params\[0\] is a number that JSON does not hold exactly/],
  ])("refuses %j and says why", async (body, error) => {
    const { call } = await startRoutes();
    expect(await call("POST", "/query", body)).toMatchObject({
      status: 400,
      body: { code: "INVALID_REQUEST", error: expect.stringMatching(error) },
    });
  });

  it("ends a query whose caller has left, so that the next one need not wait for it", async () => {
    const { call, host } = await startRoutes();
    expect((await call("POST", "/query", { sql: "SELECT 1" })).status).toBe(200);
    const caller = new AbortController();
    const sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    const endless = fetch(`${host.origin}/query`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ sql }),
      signal: caller.signal,
    });
    endless.catch(() => {});
    await waitFor(() => host.count() === 2);
    const next = call("POST", "/query", { sql: "SELECT 2" });
    await waitFor(() => host.count() === 3);
    caller.abort();
    expect((await next).body.rows).toEqual([[2]]);
  });

  it("refuses a number beyond JSON's, and too few or too many parameters", async () => {
    const { call } = await startRoutes();
    expect((await call("POST", "/query", '{"sql":"SELECT ?","params":[1e999]}')).status).toBe(400);
    expect((await call("POST", "/query", { sql: "SELECT ?" })).status).toBe(400);
    expect((await call("POST", "/query", { sql: "SELECT 1", params: [1] })).status).toBe(400);
    expect((await call("POST", "/query", { sql: "SELECT nothing FROM t" })).status).toBe(400);
  });

  it("refuses an answer that is too large for one piece of JSON, and says how to ask for less", async () => {
    const { call } = await startRoutes();
    for (const sql of [
      // As JSON each of these characters takes six.
      "SELECT replace(hex(zeroblob(50000000)), '0', char(1))",
      "SELECT zeroblob(17000000)",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000) SELECT hex(zeroblob(200)) FROM n",
    ]) {
      const { status, body } = await call("POST", "/query", { sql });
      expect([status, body]).toEqual([
        400,
        { code: "QUERY_FAILED", error: expect.stringMatching(/more than 16777216 bytes.*Add LIMIT/) },
      ]);
    }
    const most = await call("POST", "/query", { sql: "SELECT hex(zeroblob(8000000))" });
    expect([most.status, most.body.rows[0][0].length]).toEqual([200, 16_000_000]);
  });

  it("lets the host say how large an answer may be", async () => {
    const { call, tables } = await startRoutes({ maxQueryBytes: 1_000 });
    expect((await call("POST", "/query", { sql: "SELECT hex(zeroblob(400))" })).status).toBe(200);
    expect((await call("POST", "/query", { sql: "SELECT hex(zeroblob(600))" })).body).toMatchObject({
      code: "QUERY_FAILED",
      error: expect.stringContaining("more than 1000 bytes"),
    });
    for (const maxQueryBytes of [0, 1.5, "1", 2 ** 27]) {
      expect(() => tables.routes({ token: TOKEN, maxQueryBytes } as never)).toThrow(/maxQueryBytes must be a whole/);
    }
  });

  it("refuses everything that writes, reads other files or changes how the file is read", async () => {
    const { call, database } = await startRoutes();
    const bytes = readFileSync(database);
    const outside = `${database}.outside`;
    for (const sql of [
      "INSERT INTO t (id) VALUES (3)",
      "UPDATE t SET name = 'x'",
      "DELETE FROM t",
      "DROP TABLE t",
      "CREATE TABLE u (a)",
      "CREATE TEMP TABLE u (a)",
      "ALTER TABLE t RENAME TO u",
      "WITH x AS (SELECT 1) DELETE FROM t",
      "INSERT INTO t (id) VALUES (3) RETURNING id",
      "SELECT 1; DROP TABLE t",
      "SELECT 1; SELECT 2",
      "/* SELECT */ DROP TABLE t",
      `ATTACH '${outside}' AS o`,
      `VACUUM INTO '${outside}'`,
      "PRAGMA journal_mode = DELETE",
      "PRAGMA writable_schema = 1",
      "EXPLAIN PRAGMA user_version = 7",
      "BEGIN",
      "BEGIN EXCLUSIVE",
      "COMMIT",
      "SAVEPOINT s",
      "REINDEX",
      "ANALYZE",
      "SELECT load_extension('x')",
      "SELECT writefile('x', 'y')",
    ]) {
      const { status, body } = await call("POST", "/query", { sql });
      expect([sql, status, body.code]).toEqual([sql, 400, expect.stringMatching(/^QUERY_(REFUSED|FAILED)$/)]);
    }
    expect(readFileSync(database)).toEqual(bytes);
    expect(existsSync(outside)).toBe(false);
    const db = new Database(database, { readonly: true });
    expect(db.prepare("SELECT count(*) AS rows FROM t").get()).toEqual({ rows: 2 });
    db.close();
  });
});
