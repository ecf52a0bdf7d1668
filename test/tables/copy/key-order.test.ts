import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SqliteValue } from "../../../src/sqlite/sqlite-value.js";
import { compareKeys, equalRows } from "../../../src/tables/copy/key-order.js";

const value: fc.Arbitrary<SqliteValue> = fc.oneof(
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, 2 ** 53, 0n, 0, -0),
  fc.double({ noNaN: true }),
  fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
  fc.constantFrom("\uFFFD", "\u{1F600}", "", "a", "A"),
  fc.uint8Array({ maxLength: 5 }),
);

describe("compareKeys", () => {
  it("orders values as SQLite does", () => {
    const database = new Database(":memory:");
    const order = database.prepare(
      "SELECT CASE WHEN @a IS @b THEN 0 WHEN x.id = 1 THEN -1 ELSE 1 END FROM (SELECT 1 AS id, @a AS v UNION ALL SELECT 2, @b ORDER BY v LIMIT 1) x",
    );
    fc.assert(
      fc.property(value, value, (left, right) => {
        const expected = order.pluck().get({ a: left, b: right });
        expect(Math.sign(compareKeys([left], [right]))).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    database.close();
  });

  it("compares later columns where earlier ones are equal", () => {
    expect(compareKeys([1n, "b"], [1n, "a"])).toBe(1);
    expect(compareKeys([1n, "b"], [2n, "a"])).toBe(-1);
    expect(compareKeys([1n, "a"], [1n, "a"])).toBe(0);
  });
});

describe("equalRows", () => {
  it("compares bytes by content and tells an integer from a text", () => {
    expect(equalRows([new Uint8Array([1, 2])], [Buffer.from([1, 2])])).toBe(true);
    expect(equalRows([1n], ["1"])).toBe(false);
    expect(equalRows([1n], [1n, null])).toBe(false);
  });
});
