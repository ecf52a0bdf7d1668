import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { Connections } from "../../../../src/tables/sources/sqlite/connections.js";
import { atEnd } from "../../../support/at-end.js";
import { tempDir } from "../../../support/temp-dir.js";

describe("Connections", () => {
  it("reads wide rows in pieces of few bytes, one row at least", async () => {
    const path = join(tempDir(), "source.db");
    const database = new Database(path);
    atEnd(() => database.close());
    database.exec(`CREATE TABLE t (v);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO t SELECT zeroblob(100000) FROM n;
      INSERT INTO t VALUES (zeroblob(5000000)), (zeroblob(5000000))`);
    const connections = new Connections(path);
    atEnd(() => connections.close());
    const { signal } = new AbortController();
    const sizes: number[] = [];
    for await (const rows of connections.stream(signal, (session) => session.rows("SELECT v FROM t", [], signal))) {
      sizes.push(rows.length);
    }
    expect(sizes.reduce((sum, size) => sum + size)).toBe(102);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(11);
    expect(sizes.at(-1)).toBe(1);
  });
});
