import { describe, expect, it } from "vitest";
import { createTable, tableExists } from "../../../src/tables/local/create-table.js";
import { LocalTable } from "../../../src/tables/local/local-table.js";
import { ShadowTable } from "../../../src/tables/local/shadow-table.js";
import { buildSnippet } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { openLocal, sourceTable } from "./local-fixture.js";

const SOURCE = sourceTable({ id: "INTEGER", name: "TEXT" }, ["id"]);

describe("ShadowTable", () => {
  it.each(["users", 'a "b" c', "select", "Ünï; --"])("takes the place of %s, rows, key and all", async (target) => {
    const database = await openLocal();
    createTable(database, target, SOURCE);
    new LocalTable(database, target, ["id", "name"], ["id"]).write([[1, "old"]]);
    const shadow = ShadowTable.begin(database, target, sourceTable({ name: "TEXT", id: "INTEGER" }, ["id"]));
    shadow.table.write([["new", 2]]);
    expect(database.transaction(() => shadow.swap())).toEqual([]);
    const now = new LocalTable(database, target, ["id", "name"], ["id"]);
    now.write([[2, "newer"]]);
    expect(now.readKeys([[1n], [2n]])).toEqual([[2n, "newer"]]);
    expect(database.all("SELECT name FROM sqlite_schema WHERE type = 'table'")).toEqual([{ name: target }]);
    expect(database.get("PRAGMA integrity_check")).toEqual({ integrity_check: "ok" });
  });

  it("becomes the target where there is none", async () => {
    const database = await openLocal();
    const shadow = ShadowTable.begin(database, "t", SOURCE);
    shadow.table.write([[1, "a"]]);
    expect(tableExists(database, "t")).toBe(false);
    database.transaction(() => shadow.swap());
    expect(database.all("SELECT * FROM t")).toEqual([{ id: 1, name: "a" }]);
  });

  it("begins empty, whatever an earlier attempt left", async () => {
    const database = await openLocal();
    ShadowTable.begin(database, "t", SOURCE).table.write([[1, "half"]]);
    const next = ShadowTable.begin(database, "T", sourceTable({ id: "INTEGER", more: "TEXT" }, ["id"]));
    expect(next.table.count()).toBe(0);
    next.drop();
    expect(tableExists(database, next.table.name)).toBe(false);
  });

  it("leaves nothing where a process that died left some of it", async () => {
    const database = await openLocal();
    ShadowTable.begin(database, "t", SOURCE).table.write([[1, "half"]]);
    for (const _ of ["left", "gone"]) ShadowTable.dropLeftover(database, "T");
    expect(database.all("SELECT name FROM sqlite_schema WHERE type = 'table'")).toEqual([]);
  });

  it("is swapped inside a transaction alone, and not at all when that fails", async () => {
    const database = await openLocal();
    createTable(database, "t", SOURCE);
    new LocalTable(database, "t", ["id", "name"], ["id"]).write([[1, "old"]]);
    database.exec("CREATE INDEX by_name ON t (name)");
    const shadow = ShadowTable.begin(database, "t", SOURCE);
    shadow.table.write([[1, "new"]]);
    expect(() => shadow.swap()).toThrow(TypeError);
    expect(() =>
      database.transaction(() => {
        shadow.swap();
        throw new Error("late");
      }),
    ).toThrow("late");
    expect(database.all("SELECT * FROM t INDEXED BY by_name WHERE name > ''")).toEqual([{ id: 1, name: "old" }]);
    expect(shadow.table.count()).toBe(1);
    expect(database.get("PRAGMA legacy_alter_table")).toEqual({ legacy_alter_table: 0 });
  });

  it("makes the user's indexes and triggers again, and views go on working", async () => {
    const database = await openLocal();
    createTable(database, "Things", SOURCE);
    database.exec(`
      CREATE INDEX "by ""name""" ON things (name COLLATE NOCASE) WHERE name IS NOT NULL;
      CREATE UNIQUE INDEX one_id ON Things (id, name);
      CREATE TABLE log (name TEXT);
      CREATE TRIGGER seen AFTER INSERT ON "Things" BEGIN INSERT INTO log VALUES (new.name); END;
      CREATE VIEW names AS SELECT name FROM things;
      CREATE VIEW broken AS SELECT x FROM nowhere;
      CREATE TRIGGER from_elsewhere AFTER INSERT ON log WHEN new.name = 'x' BEGIN DELETE FROM things; END;
    `);
    const schema = () =>
      database.all("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type <> 'table' ORDER BY name");
    const before = schema();
    const shadow = ShadowTable.begin(database, "Things", SOURCE);
    shadow.table.write([[1, "copied"]]);
    expect(database.transaction(() => shadow.swap())).toEqual([]);
    expect(schema()).toEqual(before);
    expect(database.all("SELECT name FROM names")).toEqual([{ name: "copied" }]);
    expect(database.all("SELECT name FROM log")).toEqual([]);
    new LocalTable(database, "Things", ["id", "name"], ["id"]).write([[2, "written"]]);
    expect(database.all("SELECT name FROM log")).toEqual([{ name: "written" }]);
  });

  it("reports the index that does not fit any more, and keeps the others", async () => {
    const database = await openLocal();
    createTable(database, "t", sourceTable({ id: "INTEGER", name: "TEXT", gone: "TEXT" }, ["id"]));
    database.exec(`
      CREATE INDEX by_gone ON t (gone);
      CREATE UNIQUE INDEX one_name ON t (name);
      CREATE INDEX by_name ON t (name);
      CREATE TRIGGER on_gone AFTER UPDATE OF gone ON t BEGIN SELECT 1; END;
    `);
    const shadow = ShadowTable.begin(database, "t", SOURCE);
    shadow.table.write([
      [1, "same"],
      [2, "same"],
    ]);
    const lost = database.transaction(() => shadow.swap());
    expect(lost).toEqual([
      { kind: "index", name: "by_gone", reason: expect.stringContaining("gone") },
      { kind: "index", name: "one_name", reason: expect.stringContaining("UNIQUE constraint failed: t.name") },
    ]);
    expect(database.all("SELECT name FROM sqlite_schema WHERE type = 'index'")).toEqual([{ name: "by_name" }]);
    expect(database.all("SELECT id FROM t")).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it("shows a reader in another process the whole old table or the whole new one", async () => {
    const database = await openLocal();
    createTable(database, "t", SOURCE);
    const rows = (round: number) => Array.from({ length: 500 }, (_, id) => [id, `round ${round}`]);
    database.transaction(() => new LocalTable(database, "t", ["id", "name"], ["id"]).write(rows(0)));
    const reader = spawnNode(
      await buildSnippet(`
        import Database from "better-sqlite3";
        const database = new Database(process.argv[2], { readonly: true });
        const read = database.prepare("SELECT count(*) AS n, count(DISTINCT name) AS names, min(name) AS name FROM t");
        let reads = 0, seen = new Set(), last = "";
        process.stdin.on("data", () => { console.log("end " + reads + " " + seen.size); process.exit(); });
        const look = () => {
          for (let n = 0; n < 50; n += 1) {
            const { n: count, names, name } = read.get();
            if (count !== 500 || names !== 1) { console.log("torn " + count + " " + names); process.exit(); }
            reads += 1; seen.add(name);
          }
          if (reads === 50) console.log("ready");
          setImmediate(look);
        };
        look();
      `),
      [database.path],
    );
    await reader.waitForLine(/^ready$/);
    for (let round = 1; round <= 150; round += 1) {
      const shadow = ShadowTable.begin(database, "t", SOURCE);
      const all = rows(round);
      database.transaction(() => shadow.table.write(all.slice(0, 300)));
      database.transaction(() => shadow.table.write(all.slice(300)));
      database.transaction(() => shadow.swap());
    }
    reader.writeLine("enough");
    const [, reads, seen] = await reader.waitForLine(/^end (\d+) (\d+)$/);
    expect(Number(reads)).toBeGreaterThan(50);
    expect(Number(seen)).toBeGreaterThan(1);
  });
});
