import { describe, expect, it } from "vitest";
import { createTable, listColumns } from "../../../src/tables/local/create-table.js";
import { compareTables, followSchema } from "../../../src/tables/local/schema-change.js";
import type { SourceTable } from "../../../src/tables/sources/source-table.js";
import { openLocal, sourceColumn, sourceTable } from "./local-fixture.js";

const BEFORE = sourceTable({ id: "INTEGER", name: "TEXT", price: "REAL" }, ["id"]);

function withColumns(...columns: SourceTable["columns"]): SourceTable {
  return { ...BEFORE, columns };
}

const [ID, NAME, PRICE] = BEFORE.columns as [
  SourceTable["columns"][0],
  SourceTable["columns"][0],
  SourceTable["columns"][0],
];

describe("compareTables", () => {
  it("takes for the same what the copy does not depend on", () => {
    const now = { ...withColumns(PRICE, { ...NAME, nullable: false, indexed: true }, ID), estimatedRows: 5 };
    expect(compareTables(BEFORE, now)).toEqual({ kind: "same", added: [], dropped: [] });
  });

  it("follows added, dropped and wider columns", () => {
    const added = sourceColumn("added", "TEXT");
    expect(compareTables(BEFORE, withColumns(ID, NAME, PRICE, added))).toEqual({
      kind: "follow",
      added: [added],
      dropped: [],
    });
    expect(compareTables(BEFORE, withColumns(ID, PRICE))).toEqual({ kind: "follow", added: [], dropped: ["name"] });
    expect(compareTables(BEFORE, withColumns(ID, { ...NAME, sourceType: "varchar(90)" }, PRICE))).toEqual({
      kind: "follow",
      added: [],
      dropped: [],
    });
  });

  it("rebuilds after a change that leaves copied values wrong, and says why", () => {
    const reasonOf = (now: SourceTable) => {
      const change = compareTables(BEFORE, now);
      expect(change.kind).toBe("rebuild");
      return change.reason;
    };
    expect(reasonOf({ ...BEFORE, identity: "2" })).toBe("the source's table was dropped and made again");
    expect(reasonOf({ ...BEFORE, primaryKey: ["id", "name"] })).toBe(
      'the primary key has changed from ("id") to ("id", "name")',
    );
    expect(reasonOf({ ...BEFORE, primaryKey: [] })).toBe('the primary key has changed from ("id") to none');
    expect(reasonOf(withColumns(ID, { ...NAME, mapping: "number", sourceType: "int4" }, PRICE))).toBe(
      'the column "name" has changed its type from text to int4',
    );
    expect(reasonOf(withColumns(ID, { ...NAME, targetType: "INTEGER" }, PRICE))).toContain('column "name"');
    expect(reasonOf(withColumns(ID, { ...NAME, name: "Name" }, PRICE))).toContain('"name" is now "Name"');
  });

  it("rebuilds when the order of a composite key changes", () => {
    const composite = { ...BEFORE, primaryKey: ["id", "name"] };
    expect(compareTables(composite, { ...composite, primaryKey: ["name", "id"] }).kind).toBe("rebuild");
  });
});

describe("followSchema", () => {
  async function follow(now: SourceTable, before = BEFORE) {
    const database = await openLocal();
    createTable(database, "t", before);
    database.exec("INSERT INTO t VALUES (1, 'a', 1.5), (2, NULL, 2.5)");
    const change = compareTables(before, now);
    return { database, result: database.transaction(() => followSchema(database, "t", change)) };
  }

  it("adds columns and empties dropped ones", async () => {
    const { database, result } = await follow(
      withColumns(ID, sourceColumn('new "x"', "BLOB"), sourceColumn("any", "")),
    );
    expect(result).toBeNull();
    expect(database.all("SELECT * FROM t")).toEqual([
      { id: 1, name: null, price: null, 'new "x"': null, any: null },
      { id: 2, name: null, price: null, 'new "x"': null, any: null },
    ]);
    expect(listColumns(database, "t").slice(3)).toEqual([
      { name: 'new "x"', type: "BLOB" },
      { name: "any", type: "" },
    ]);
  });

  it("takes a dropped column back as it is", async () => {
    const { database } = await follow(withColumns(ID, PRICE));
    const back = compareTables(withColumns(ID, PRICE), BEFORE);
    expect(back.added).toEqual([NAME]);
    expect(database.transaction(() => followSchema(database, "t", back))).toBeNull();
    expect(listColumns(database, "t").length).toBe(3);
  });

  it("asks for a rebuild, with nothing altered, when it comes back with another type or case", async () => {
    const { database } = await follow(withColumns(ID, PRICE));
    for (const name of ["name", "Name"]) {
      const now = withColumns(
        ID,
        PRICE,
        sourceColumn("more", "TEXT"),
        sourceColumn(name, name === "name" ? "REAL" : "TEXT"),
      );
      const back = compareTables(withColumns(ID, PRICE), now);
      expect(back.kind).toBe("follow");
      expect(database.transaction(() => followSchema(database, "t", back))).toContain(
        'has a column "name" of type TEXT already',
      );
      expect(listColumns(database, "t").length).toBe(3);
    }
  });

  it("does nothing about a dropped column that is gone here too", async () => {
    const { database } = await follow(BEFORE);
    database.exec("ALTER TABLE t DROP COLUMN name");
    const change = compareTables(BEFORE, withColumns(ID, PRICE));
    expect(database.transaction(() => followSchema(database, "t", change))).toBeNull();
  });
});
