import { describe, expect, it } from "vitest";
import { columnNamesMistake, foldName, quoteIdentifier } from "../../../src/sqlite/identifier.js";
import { declaredType } from "../../../src/tables/local/declared-type.js";
import { targetNameMistake } from "../../../src/tables/local/target-name.js";
import { openLocal } from "./local-fixture.js";

describe("quoteIdentifier", () => {
  it("makes any name one name", () => {
    expect(quoteIdentifier("a")).toBe('"a"');
    expect(quoteIdentifier('a"; DROP TABLE b; --')).toBe('"a""; DROP TABLE b; --"');
    expect(() => quoteIdentifier("a\0b")).toThrow(TypeError);
  });
});

describe("foldName", () => {
  it("folds what SQLite folds: A to Z alone", async () => {
    const database = await openLocal();
    for (const [one, other] of [
      ["USER", "user"],
      ["ÄRA", "äRA"],
      ["İ", "i"],
    ] as const) {
      const equal = database.get<{ e: number }>("SELECT ? = ? COLLATE NOCASE AS e", one, other)?.e === 1;
      expect(foldName(one) === foldName(other)).toBe(equal);
    }
  });
});

describe("columnNamesMistake", () => {
  it("finds names that SQLite cannot tell apart", () => {
    expect(columnNamesMistake(["id", "Äb", "äb"])).toBeNull();
    expect(columnNamesMistake(["id", "Name", "name"])).toContain('columns "Name" and "name"');
    expect(columnNamesMistake(["a\0"])).toContain("SQLite cannot keep");
    expect(columnNamesMistake([])).toBe("has no columns");
  });
});

describe("targetNameMistake", () => {
  it.each(["users", "Order Items", 'say "hi"', "select", "日本", "_replication", "x".repeat(200)])(
    "takes %s",
    (name) => {
      expect(targetNameMistake(name)).toBeNull();
    },
  );

  it.each([
    ["", "is empty"],
    ["  ", "is empty"],
    ["a\0", "NUL"],
    ["SQLite_x", "sqlite_"],
    ["Replication_runs", "replication_"],
    ["_replication_shadow_users", "_replication_shadow_"],
    ["x".repeat(201), "longer than 200"],
    ["\ud800", "surrogate"],
  ])("refuses %j", (name, reason) => {
    expect(targetNameMistake(name)).toContain(reason);
  });
});

describe("declaredType", () => {
  it("keeps plain types as they are", () => {
    for (const type of ["INTEGER", "TEXT", "varchar(80)", "DECIMAL(10, 2)", "DOUBLE PRECISION", "unsigned big int"]) {
      expect(declaredType(type)).toBe(type);
    }
  });

  it("gives no type where every value must stay what it is", () => {
    expect(declaredType("")).toBe("");
    expect(declaredType("ANY")).toBe("");
  });

  it.each([
    ["INTEGER PRIMARY KEY", "INTEGER"],
    ["TEXT); DROP TABLE users; --", "TEXT"],
    ["REAL DEFAULT 5", "REAL"],
    ['my "type"', "NUMERIC"],
    ["varchar(80) collate nocase", "TEXT"],
  ])("puts the affinity in the place of %j", (type, affinity) => {
    expect(declaredType(type)).toBe(affinity);
  });
});
