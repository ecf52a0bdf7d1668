import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { DUMP_FORMATS } from "../../../src/exports/formats/dump-formats.js";
import { tempDir } from "../../support/temp-dir.js";
import { dumpBytes, snapshotOf } from "./dump-fixture.js";
import { buildNasty, ODD_VALUES } from "./nasty-database.js";
import { type CsvField, parseCsv } from "./parse-csv.js";
import { sqliteShell } from "./sqlite-shell.js";

type Value = null | number | bigint | string | Buffer;

/** The value that a field says, by the documented rules. */
function meaningOf({ text, quoted }: CsvField): Value {
  if (quoted) return Buffer.from(text, "latin1").toString();
  if (text === "") return null;
  if (text.startsWith("\\x")) return Buffer.from(text.slice(2), "hex");
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
}

describe("the csv format", () => {
  it("gives back every value and its storage class to a strict reader", () => {
    const source = snapshotOf((database) => {
      database.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b BLOB, c AS (id + 1))");
      const insert = database.prepare("INSERT INTO t(a, b) VALUES(?, ?)");
      for (const value of ODD_VALUES) insert.run(value, value);
    });
    const [header, ...records] = parseCsv(dumpBytes(source, "csv", { table: "T" }));
    expect(header).toEqual(["id", "a", "b", "c"].map((text) => ({ text, quoted: true })));
    const rows = source.prepare("SELECT * FROM t").raw().safeIntegers().all() as Value[][];
    expect(records.map((record) => record.map(meaningOf))).toEqual(rows);
    expect(rows.length).toBe(ODD_VALUES.length);
  });

  it("keeps the bytes of text that is not UTF-8, and names that need quotes", () => {
    const source = snapshotOf(buildNasty);
    const [header, ...records] = parseCsv(dumpBytes(source, "csv", { table: 'va"lues' }));
    expect(header?.map(({ text }) => Buffer.from(text, "latin1").toString())).toEqual([
      "id",
      "any_value",
      "select",
      "it's",
      "sp ace",
      "naïve 😀",
      "new\nline",
    ]);
    const fields = records.map((record) => record[1] as CsvField);
    const texts = source
      .prepare(`SELECT CAST(any_value AS BLOB) FROM "va""lues" WHERE typeof(any_value) = 'text' ORDER BY id`)
      .pluck()
      .all() as Buffer[];
    expect(fields.filter(({ quoted }) => quoted).map(({ text }) => Buffer.from(text, "latin1"))).toEqual(texts);
    expect(texts.some((bytes) => bytes.includes(0xff))).toBe(true);
  });

  it("is read back by the sqlite3 shell", () => {
    const source = snapshotOf((database) => {
      database.exec("CREATE TABLE t(i INTEGER, r REAL, t TEXT)");
      const insert = database.prepare("INSERT INTO t VALUES(?, ?, ?)");
      for (const value of ["", "plain", 'quo"te', "com,ma", "new\nline", "crlf\r\nline", "é😀", " spaces ", "'"]) {
        insert.run(9223372036854775807n, 0.1, value);
        insert.run(-9223372036854775808n, 1 / 3, value);
      }
    });
    const folder = tempDir();
    writeFileSync(join(folder, "t.csv"), dumpBytes(source, "csv", { table: "t" }));
    const path = join(folder, "imported.db");
    sqliteShell(path, undefined, ["CREATE TABLE t(i INTEGER, r REAL, t TEXT)"]);
    sqliteShell(path, undefined, [".import --csv --skip 1 t.csv t"], folder);
    const imported = new Database(path, { readonly: true });
    const rows = (database: Database.Database): unknown[] =>
      database.prepare("SELECT * FROM t").raw().safeIntegers().all();
    expect(rows(imported)).toEqual(rows(source));
    imported.close();
  });

  it("refuses several tables, and an index that holds no rows", () => {
    const source = snapshotOf((database) =>
      database.exec("CREATE TABLE a(x); CREATE TABLE b(x); CREATE VIRTUAL TABLE ft USING fts5(x, content='a')"),
    );
    const open = (selection: Parameters<typeof DUMP_FORMATS.csv.open>[1]) => () =>
      DUMP_FORMATS.csv.open(source, selection);
    expect(open({ tables: "all" })).toThrow(expect.objectContaining({ code: "INVALID_CONFIGURATION" }));
    expect(open({ table: "ft" })).toThrow(expect.objectContaining({ code: "TABLE_MISSING" }));
    expect(open({ table: "c" })).toThrow(expect.objectContaining({ code: "TABLE_MISSING" }));
  });
});
