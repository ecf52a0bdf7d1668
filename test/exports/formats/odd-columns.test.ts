import type Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { size } from "../../support/size.js";
import { dumpBytes, snapshotOf } from "./dump-fixture.js";
import { ODD_VALUES } from "./nasty-database.js";
import { parseCsv } from "./parse-csv.js";
import { contentOf, restore } from "./restored.js";

/** Columns of each type with mostly what they are for, and now and then anything else, long things too. */
function buildOdd(database: Database.Database): void {
  database.exec("BEGIN; CREATE TABLE t(i INTEGER, r REAL, s TEXT COLLATE NOCASE, n NUMERIC, b BLOB)");
  const insert = database.prepare("INSERT INTO t VALUES(?, ?, ?, ?, ?)");
  const long = ["long ''\"\" ".repeat(60), "x\0'\"".repeat(900), Buffer.alloc(700, 39), "\r\n".repeat(50_000)];
  const odd = [...ODD_VALUES, ...long, "nul\0 and quotes '\"'\"", "'\"'\" and nul\0"];
  for (let row = 0; row < 6_000; row += 1) {
    const usual: unknown[] = [
      BigInt(row),
      row / 8,
      `it's "${row}"`,
      row % 2 ? row / 4 : "2026-11-20",
      Buffer.from(`${row}`),
    ];
    const values = row % 40 === 0 ? usual.with((row / 40) % 5, odd[((row / 200) % odd.length) | 0] ?? null) : usual;
    insert.run(...values);
  }
  database.exec("COMMIT");
}

function isBase64(shown: unknown, bytes: Buffer | null | undefined): boolean {
  return JSON.stringify(shown) === JSON.stringify({ base64: bytes?.toString("base64") });
}

/** A generator of numbers in [0, 1) that always gives the same. */
function numbers(): () => number {
  let state = 1n;
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number(state >> 11n) / 2 ** 53;
  };
}

describe("columns that hold what they are not for", () => {
  it("come back from sql as they were", () => {
    const source = snapshotOf(buildOdd);
    expect(contentOf(restore(dumpBytes(source, "sql")))).toEqual(contentOf(source));
  });

  it("are in csv and json as they are", () => {
    const source = snapshotOf(buildOdd);
    const rows = source
      .prepare(
        "SELECT typeof(i), CAST(i AS BLOB), typeof(r), CAST(r AS BLOB), typeof(s), CAST(s AS BLOB), typeof(n), CAST(n AS BLOB), typeof(b), CAST(b AS BLOB) FROM t",
      )
      .raw()
      .all() as unknown[][];
    const [, ...records] = parseCsv(dumpBytes(source, "csv", { table: "t" }));
    const objects = JSON.parse(dumpBytes(source, "json", { table: "t" }).toString()) as Record<string, unknown>[];
    expect([records.length, objects.length]).toEqual([rows.length, rows.length]);
    const wrong: string[] = [];
    for (const [index, row] of rows.entries()) {
      for (const [place, column] of ["i", "r", "s", "n", "b"].entries()) {
        const type = row[place * 2];
        const bytes = row[place * 2 + 1] as Buffer | null;
        const { text, quoted } = records[index]?.[place] ?? {};
        const shown = objects[index]?.[column];
        const right =
          type === "text"
            ? text === bytes?.toString("latin1") && shown === bytes?.toString()
            : type === "blob"
              ? text === `\\x${bytes?.toString("hex").toUpperCase()}` && isBase64(shown, bytes)
              : type === "null"
                ? text === "" && shown === null
                : text !== "" && ["number", "string"].includes(typeof shown);
        if (!right || quoted !== (type === "text")) wrong.push(`row ${index}, ${column}: ${type}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("may have had another type when their values came", () => {
    const source = snapshotOf((database) => {
      database.exec("CREATE TABLE t(i TEXT, r TEXT); INSERT INTO t VALUES('05', '+1.50')");
      database.exec(`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t(i INTEGER, r REAL)'`);
    });
    expect(dumpBytes(source, "csv", { table: "t" }).toString()).toBe('"i","r"\r\n"05","+1.50"\r\n');
    expect(JSON.parse(dumpBytes(source, "json", { table: "t" }).toString())).toEqual([{ i: "05", r: "+1.50" }]);
  });

  it("may have a collation that is not there", () => {
    const source = snapshotOf((database) => {
      database.exec("CREATE TABLE t(i INTEGER, r REAL, s TEXT, n NUMERIC); INSERT INTO t VALUES(1, 0.1, 'a', 0.0)");
      database.exec(`PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE TABLE t(i INTEGER COLLATE gone, r REAL COLLATE gone, s TEXT COLLATE gone, n NUMERIC COLLATE gone)'`);
    });
    expect(dumpBytes(source, "csv", { table: "t" }).toString()).toBe('"i","r","s","n"\r\n1,0.1,"a",0\r\n');
    expect(JSON.parse(dumpBytes(source, "json", { table: "t" }).toString())).toEqual([{ i: 1, r: 0.1, s: "a", n: 0 }]);
    expect(dumpBytes(source, "sql").toString()).toContain("(1,0.1,'a',0);");
  });
});

describe("reals", () => {
  it("come back with every bit from a shell that reads decimals with less care than ours writes them", () => {
    const random = numbers();
    const source = snapshotOf((database) => {
      database.exec("BEGIN; CREATE TABLE t(r REAL, n)");
      const insert = database.prepare("INSERT INTO t VALUES(?, ?)");
      for (let row = 0; row < size({ test: 30_000, ci: 60_000, soak: 1_000_000 }); row += 1) {
        const places = Number((random() * 10_000).toFixed(row % 13)) * (row % 2 ? 1 : -1);
        const digits = Number(`${(1 + random() * 9).toPrecision((row % 17) + 1)}e${Math.floor(random() * 610) - 305}`);
        insert.run(places, digits);
      }
      database.exec("COMMIT");
    });
    const script = dumpBytes(source, "sql");
    expect(contentOf(restore(script)).t).toEqual(contentOf(source).t);
    // Those that are short and sure to be read stay as people write them.
    expect(script.toString()).toMatch(/\(-?\d+\.\d{2},/);
  }, 120_000);
});
