import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SqliteRow, SqliteValue } from "../../../src/sqlite/sqlite-value.js";
import { createTable } from "../../../src/tables/local/create-table.js";
import { LocalTable } from "../../../src/tables/local/local-table.js";
import { encodeRow, RowDigest } from "../../../src/tables/row-digest.js";
import { size } from "../../support/size.js";
import { openLocal, sourceTable } from "./local-fixture.js";

const signal = new AbortController().signal;
const COLUMNS = { n: "INTEGER", k: "TEXT", r: "REAL", t: "TEXT", b: "BLOB", any: "" };
const KEY = ["k", "n"];

const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("", "a", "A", "é", "\0", "\uffff", "😀"),
);
const real = fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value));
const bytes = fc.uint8Array({ maxLength: 12 });
const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null, freq: 5 });
const row: fc.Arbitrary<SqliteRow> = fc.tuple(
  fc.oneof(integer, fc.bigInt({ min: -3n, max: 3n })),
  text,
  nullable(real),
  nullable(text),
  nullable(bytes),
  nullable(fc.oneof(integer, real, text, bytes)),
);

/** SQLite's order of the keys: BINARY text, then the number. */
function compareKeys(one: SqliteRow, other: SqliteRow): number {
  const order = Buffer.compare(Buffer.from(String(one[1])), Buffer.from(String(other[1])));
  return order !== 0
    ? order
    : Number((one[0] as bigint) > (other[0] as bigint)) - Number((one[0] as bigint) < (other[0] as bigint));
}

const keyOf = (values: SqliteRow): SqliteRow => [values[1] as SqliteValue, values[0] as SqliteValue];

describe("LocalTable with random rows", () => {
  it("gives back what was written, in key order, with the digest of the rule, for every cut into ranges", async () => {
    const database = await openLocal();
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 180, maxLength: 400 }),
        fc.integer({ min: 1, max: 90 }),
        async (rows, piece) => {
          seen += rows.length;
          database.exec("DROP TABLE IF EXISTS t");
          createTable(database, "t", sourceTable(COLUMNS, KEY));
          const table = new LocalTable(database, "t", Object.keys(COLUMNS), KEY);
          database.transaction(() => table.write(rows));
          const byKey = new Map(rows.map((values) => [encodeRow(keyOf(values)), values]));
          const expected = [...byKey.values()].sort(compareKeys);

          expect(table.count()).toBe(expected.length);
          const cuts = await table.keysEvery({ lower: null, upper: null }, piece);
          expect(cuts.length).toBe(Math.ceil(expected.length / piece) - 1);
          const bounds = [null, ...cuts, null];
          const read: string[] = [];
          let from = 0;
          for (let index = 0; index + 1 < bounds.length; index += 1) {
            const range = { lower: bounds[index] ?? null, upper: bounds[index + 1] ?? null };
            for await (const batch of table.readRange(range, 37, signal)) read.push(...batch.map(encodeRow));
            const part = new RowDigest();
            for (const values of expected.slice(from, from + piece).reverse()) part.add(values);
            expect(await table.digest(range, signal)).toEqual({ rows: part.rows, digest: part.digest });
            from += piece;
          }
          expect(read).toEqual(expected.map(encodeRow));

          const gone = expected.filter((_, index) => index % 3 === 0).map(keyOf);
          expect(table.readKeys(gone).length).toBe(gone.length);
          expect(table.deleteKeys(gone)).toBe(gone.length);
          expect(table.count()).toBe(expected.length - gone.length);
          expect(table.readKeys(gone)).toEqual([]);
        },
      ),
      { numRuns: size({ test: 60, soak: 1_000 }) },
    );
    expect(seen).toBeGreaterThan(10_000);
  });
});
