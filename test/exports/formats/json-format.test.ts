import { isUtf8 } from "node:buffer";
import { describe, expect, it } from "vitest";
import { dumpBytes, snapshotOf } from "./dump-fixture.js";
import { buildNasty, ODD_VALUES } from "./nasty-database.js";

/** What the documented rules make of a value. */
function jsonOf(value: unknown): unknown {
  if (typeof value === "bigint") {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  }
  if (value === Infinity || value === -Infinity) return String(value);
  return Buffer.isBuffer(value) ? { base64: value.toString("base64") } : value;
}

describe("the json format", () => {
  const parse = (bytes: Buffer): unknown => {
    expect(isUtf8(bytes)).toBe(true);
    return JSON.parse(bytes.toString());
  };

  it("is an array of objects for one table, with every value in its documented form", () => {
    const source = snapshotOf((database) => {
      database.exec(`CREATE TABLE t(id INTEGER PRIMARY KEY, a, b BLOB, "__proto__", "quo""te\n", c AS (id + 1))`);
      const insert = database.prepare("INSERT INTO t(a, b, __proto__) VALUES(?, ?, ?)");
      for (const value of ODD_VALUES) insert.run(value, value, value);
    });
    const rows = parse(dumpBytes(source, "json", { table: "t" })) as Record<string, unknown>[];
    expect(rows.length).toBe(ODD_VALUES.length);
    const names = ["id", "a", "b", "__proto__", 'quo"te\n', "c"];
    const stored = source.prepare("SELECT * FROM t").raw().safeIntegers().all() as unknown[][];
    for (const [index, row] of rows.entries()) {
      expect(Object.keys(row)).toEqual(names);
      const own = names.map((name) => Object.getOwnPropertyDescriptor(row, name)?.value);
      expect(own).toEqual(stored[index]?.map(jsonOf));
    }
  });

  it("is an object of arrays for a database, and one line per row as ndjson", () => {
    const source = snapshotOf((database) => {
      buildNasty(database);
      database.exec(`
        CREATE TABLE __proto__(a); INSERT INTO __proto__ VALUES(1);
        CREATE VIRTUAL TABLE ft USING fts5(a); INSERT INTO ft VALUES('x');
        CREATE VIRTUAL TABLE ext USING fts5(a, content='gen');
        CREATE VIRTUAL TABLE rt USING rtree(id, x, y); INSERT INTO rt VALUES(1, 2, 3);
      `);
    });
    const database = parse(dumpBytes(source, "json")) as Record<string, Record<string, unknown>[]>;
    const names = source
      .prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> 'ext'",
      )
      .pluck()
      .all() as string[];
    expect(Object.keys(database).sort()).toEqual(names.sort());
    for (const name of names) {
      const count = source
        .prepare(`SELECT count(*) FROM "${name.replaceAll('"', '""')}"`)
        .pluck()
        .get();
      expect(Object.getOwnPropertyDescriptor(database, name)?.value).toHaveLength(count as number);
    }
    expect(database.empty_one).toEqual([]);
    expect(database.rt).toEqual([{ id: 1, x: 2, y: 3 }]);

    const lines = dumpBytes(source, "ndjson").toString().split("\n");
    expect(lines.pop()).toBe("");
    const rows = lines.map((line) => JSON.parse(line) as { table: string; row: unknown });
    const byTable = new Map<string, unknown[]>(names.map((name) => [name, []]));
    for (const { table, row } of rows) byTable.get(table)?.push(row);
    for (const [name, found] of byTable) expect(found).toEqual(Object.getOwnPropertyDescriptor(database, name)?.value);
    const [one] = dumpBytes(source, "ndjson", { table: "__proto__" }).toString().split("\n");
    expect(JSON.parse(one ?? "")).toEqual({ a: 1 });
  });

  it("gives text that is not UTF-8 as its bytes, short and long", () => {
    const source = snapshotOf((database) =>
      database.exec(`
        CREATE TABLE t(a TEXT);
        INSERT INTO t VALUES('fine'), (CAST(X'61FF' AS TEXT)), (CAST(X'EDA080' AS TEXT)), (replace(hex(zeroblob(300000)), '00', 'é"\n')),
          (CAST(CAST(replace(hex(zeroblob(300000)), '00', 'ab') AS BLOB) || X'C3' AS TEXT)), ('after' || char(0));
        CREATE TABLE b(x); INSERT INTO b VALUES(randomblob(1000001));
      `),
    );
    const bytes = source.prepare("SELECT CAST(a AS BLOB) FROM t").pluck().all() as Buffer[];
    const rows = parse(dumpBytes(source, "json", { table: "t" })) as { a: unknown }[];
    expect(rows.map(({ a }) => a)).toEqual(
      bytes.map((text) => (isUtf8(text) ? text.toString() : { base64: text.toString("base64"), type: "text" })),
    );
    const blob = source.prepare("SELECT x FROM b").pluck().get() as Buffer;
    expect(parse(dumpBytes(source, "json", { table: "b" }))).toEqual([{ x: { base64: blob.toString("base64") } }]);
  });

  it("gives generated JSON as the text that it is", () => {
    const source = snapshotOf((database) =>
      database.exec(`CREATE TABLE t(x, a TEXT AS (json_object('x', x)), b AS (json_array(x)), c AS (json_array(x)) STORED);
        INSERT INTO t(x) VALUES('a"b')`),
    );
    const rows = JSON.parse(dumpBytes(source, "json", { table: "t" }).toString());
    expect(rows).toEqual([{ x: 'a"b', a: '{"x":"a\\"b"}', b: '["a\\"b"]', c: '["a\\"b"]' }]);
  });

  it("gives the one real that a column for integers takes for one as a number, like any other real", () => {
    const source = snapshotOf((database) =>
      database.exec(`CREATE TABLE t(i INTEGER, r REAL); INSERT INTO t VALUES(-9223372036854775808.0, -9223372036854775808.0),
        (-9223372036854775807 - 1, NULL)`),
    );
    const rows = JSON.parse(dumpBytes(source, "json", { table: "t" }).toString());
    expect(rows).toEqual([
      { i: -(2 ** 63), r: -(2 ** 63) },
      { i: "-9223372036854775808", r: null },
    ]);
  });

  it("is an empty array for an empty table", () => {
    const source = snapshotOf((database) => database.exec("CREATE TABLE t(a)"));
    expect(parse(dumpBytes(source, "json", { table: "t" }))).toEqual([]);
    expect(dumpBytes(source, "ndjson", { table: "t" }).length).toBe(0);
  });
});
