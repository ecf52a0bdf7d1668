import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { DUMP_FORMATS } from "../../../src/exports/formats/dump-formats.js";
import type { DumpFormatName, DumpSelection } from "../../../src/exports/formats/dump-selection.js";
import { inCi } from "../../support/size.js";
import { partsOf, snapshotOf, writePart } from "./dump-fixture.js";
import { contentOf, restore } from "./restored.js";

/** Some MiB in which parts end within tables of every kind, with rows short, long and odd. */
function buildLarge(database: Database.Database): void {
  database.exec(`
    CREATE TABLE narrow(id INTEGER PRIMARY KEY, t TEXT, r REAL);
    CREATE TABLE gaps(t TEXT, b BLOB);
    CREATE TABLE keyed(a TEXT COLLATE NOCASE, b, c TEXT, PRIMARY KEY(b DESC, a, c)) WITHOUT ROWID;
    CREATE TABLE wide(t TEXT, b BLOB, u TEXT);
    CREATE TABLE empty(a);
    CREATE VIRTUAL TABLE ft USING fts5(t);
    CREATE VIRTUAL TABLE rt USING rtree(id, x, y, +note);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
      INSERT INTO narrow SELECT i, 'text of row ' || i || CASE i % 9000 WHEN 0 THEN char(13, 10) WHEN 1 THEN char(0) ELSE '' END, i / 7.0 FROM n;
    INSERT INTO gaps(rowid, t, b) SELECT id * (1 + id / 20000), t, CAST(t AS BLOB) FROM narrow;
    INSERT INTO keyed SELECT char(97 + id % 5), CASE id % 3 WHEN 0 THEN id / 50 WHEN 1 THEN id / 50 + 0.5 ELSE CAST(id / 50 AS TEXT) END, t FROM narrow;
    INSERT INTO wide SELECT t, zeroblob(CASE id % 17 WHEN 0 THEN 300000 ELSE id % 900 END), CASE WHEN id % 5 THEN t ELSE replace(hex(zeroblob(id % 70000)), '00', 'it''s ') END FROM narrow LIMIT 120;
    INSERT INTO wide VALUES(char(13), NULL, replace(hex(zeroblob(200000)), '00', char(13, 10))), (NULL, X'00', CAST(zeroblob(300000) AS TEXT) || 'x');
    INSERT INTO wide(u) VALUES(CAST(CAST(replace(hex(zeroblob(150000)), '00', 'é€😀') AS BLOB) AS TEXT)), (CAST(CAST(replace(hex(zeroblob(150000)), '00', 'ab') AS BLOB) || X'FF' AS TEXT));
    INSERT INTO ft(rowid, t) SELECT id * 3, t FROM narrow LIMIT 20000;
    INSERT INTO rt SELECT id, id, id + 1, t FROM narrow LIMIT 20000;
  `);
}

const CASES: readonly (readonly [DumpFormatName, DumpSelection])[] = [
  ["sql", { tables: "all" }],
  ["json", { tables: "all" }],
  ["ndjson", { tables: "all" }],
  ["json", { table: "gaps" }],
  ["csv", { table: "keyed" }],
  ["csv", { table: "wide" }],
];

describe("a dump in parts", () => {
  it("goes on at every position to the same bytes, with a dump opened anew", () => {
    const source = snapshotOf(buildLarge);
    for (const [name, selection] of CASES) {
      const whole = DUMP_FORMATS[name].open(source, selection);
      const parts = partsOf(whole);
      expect(parts.length).toBeGreaterThan(1);
      for (const [index, { position, bytes }] of parts.entries()) {
        const again = DUMP_FORMATS[name].open(source, selection);
        expect(again.fingerprint).toBe(whole.fingerprint);
        const part = writePart(again, JSON.parse(JSON.stringify(position)));
        expect(sha256(part.bytes)).toBe(sha256(bytes));
        expect(bytes.length).toBeGreaterThan(0);
        if (index + 1 < parts.length) expect(bytes.length).toBeGreaterThanOrEqual(1024 * 1024);
      }
    }
  });

  it.runIf(inCi)("restores to an equal database where parts end within tables", () => {
    const source = snapshotOf(buildLarge);
    const script = Buffer.concat(partsOf(DUMP_FORMATS.sql.open(source, { tables: "all" })).map(({ bytes }) => bytes));
    const [before, after] = [contentOf(source), contentOf(restore(script))];
    for (const name of Object.keys(before)) expect(sha256(after[name]), name).toBe(sha256(before[name]));
  });

  it("counts its rows and tables", () => {
    const source = snapshotOf(buildLarge);
    const dump = DUMP_FORMATS.ndjson.open(source, { tables: "all" });
    const parts = partsOf(dump);
    expect(dump.tables).toEqual(["narrow", "gaps", "keyed", "wide", "empty", "ft", "rt"]);
    const rows = dump.tables.map((table) => source.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number);
    expect(parts.reduce((sum, part) => sum + part.rows, 0)).toBe(rows.reduce((sum, count) => sum + count, 0));
    const ofEach = dump.tables.map((_, table) =>
      parts.flatMap(({ rowsOf }) => rowsOf.filter(([of]) => of === table)).reduce((sum, [, count]) => sum + count, 0),
    );
    expect(ofEach).toEqual(rows);
    expect(parts.at(-1)?.tablesDone).toBe(7);
    expect(parts[0]?.tablesDone).toBe(0);
    const done = parts.map(({ tablesDone }) => tablesDone);
    expect(done).toEqual([...done].sort((a, b) => a - b));
  });

  it("hands on small chunks, and leaves nothing open when it is left", () => {
    const source = snapshotOf(buildLarge);
    for (const [name, selection] of CASES) {
      const dump = DUMP_FORMATS[name].open(source, selection);
      for (const { largestChunk } of partsOf(dump)) expect(largestChunk).toBeLessThan(2 * 1024 * 1024);
      const part = dump.part({ step: 0, after: null });
      part.next();
      part.next();
      part.return({ next: null, rows: 0, rowsOf: [], tablesDone: 0 });
    }
    // Refused while a statement is being read.
    source.exec("SELECT 1");
  });
});

function sha256(value: unknown): string {
  const bytes = Buffer.isBuffer(value) ? value : JSON.stringify(value);
  return createHash("sha256").update(bytes).digest("hex");
}
