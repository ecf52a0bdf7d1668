import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { DUMP_FORMATS } from "../../../src/exports/formats/dump-formats.js";
import { dumpBytes, snapshotOf } from "./dump-fixture.js";
import { buildNasty, ODD_VALUES } from "./nasty-database.js";
import { contentOf, restore } from "./restored.js";

describe("the sql format", () => {
  it("restores to an equal database, whatever is in it", () => {
    const source = snapshotOf(buildNasty);
    const before = contentOf(source);
    const after = contentOf(restore(dumpBytes(source, "sql")));
    for (const name of Object.keys(before)) expect({ [name]: after[name] }).toEqual({ [name]: before[name] });
    expect(Object.keys(after)).toEqual(Object.keys(before));
    expect(before.integrity).toEqual([{ integrity_check: "ok" }]);
    expect(before.foreignKeys).toEqual([]);
    expect((before['va"lues'] as unknown[]).length).toBe(ODD_VALUES.length + 8);
  });

  it.each(["UTF-16le", "UTF-16be"])("restores a database in %s, with halves of surrogate pairs", (encoding) => {
    const source = snapshotOf((database) => {
      database.pragma(`encoding = '${encoding}'`);
      database.exec("CREATE TABLE t(a, b TEXT, naïve); CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID");
      const insert = database.prepare("INSERT INTO t VALUES(?, ?, ?)");
      for (const value of ODD_VALUES) insert.run(value, value, value);
      for (const hex of ["D83D", "3DD8", "00D800", "DE00DE00", "61003DD86200"]) {
        database.exec(`INSERT INTO t VALUES(CAST(X'${hex}' AS TEXT), 1, 2)`);
        database.exec(`INSERT OR IGNORE INTO w VALUES(CAST(X'${hex}' AS TEXT), 1)`);
      }
    });
    expect(contentOf(restore(dumpBytes(source, "sql")))).toEqual(contentOf(source));
  });

  it("restores virtual tables by their declaration and content", () => {
    const source = snapshotOf((database) => {
      database.exec(`
        CREATE VIRTUAL TABLE ft USING fts5(title, body UNINDEXED, tokenize = "unicode61 remove_diacritics 2", prefix='2 3');
        INSERT INTO ft(ft, rank) VALUES('pgsz', 1000); INSERT INTO ft(ft, rank) VALUES('rank', 'bm25(10.0, 5.0)');
        INSERT INTO ft(rowid, title, body) VALUES(3, 'Hello wörld', 5), (-9, 'it''s', NULL), (100, CAST(X'610062' AS TEXT), X'00FF');
        CREATE TABLE docs(id INTEGER PRIMARY KEY, t); INSERT INTO docs VALUES(5, 'apple pie'), (9, 'pear');
        CREATE VIRTUAL TABLE ext USING fts5(t, content='docs', content_rowid="id");
        CREATE TRIGGER docs_ai AFTER INSERT ON docs BEGIN INSERT INTO ext(rowid, t) VALUES(new.id, new.t); END;
        INSERT INTO ext(ext) VALUES('rebuild');
        CREATE VIRTUAL TABLE words USING fts5vocab(ft, row);
        CREATE VIRTUAL TABLE "o ld" USING fts4(a, b, languageid=lid); INSERT INTO "o ld"(docid, a, b, lid) VALUES(4, 'four', 'vier', 2), (1, 'one', NULL, 0);
        CREATE VIRTUAL TABLE oldext USING fts4(content=docs, t); INSERT INTO oldext(oldext) VALUES('rebuild');
        CREATE VIRTUAL TABLE rt USING rtree(id, x0, x1, nodeno0, nodeno1, +note TEXT, +nodeno);
        INSERT INTO rt VALUES(8, 0.1, 0.3, -1e10, 1e10, 'aux', X'00'), (-2, 1, 2, 3, 4, NULL, 5);
        CREATE VIRTUAL TABLE ri USING rtree_i32(id, x0, x1); INSERT INTO ri VALUES(1, -2147483648, 2147483647);
        CREATE VIEW both AS SELECT * FROM ft JOIN docs;
      `);
    });
    const restored = restore(dumpBytes(source, "sql"));
    expect(contentOf(restored)).toEqual(contentOf(source));
    const hits = (database: Database.Database, sql: string): unknown[] => database.prepare(sql).raw().all();
    for (const sql of [
      "SELECT rowid FROM ft('world') UNION ALL SELECT rowid FROM ext('apple') UNION ALL SELECT docid FROM oldext WHERE t MATCH 'pear'",
      `SELECT docid, lid FROM "o ld" WHERE a MATCH 'four' AND lid = 2`,
      "SELECT id FROM rt WHERE x0 > 0.05 AND x1 < 0.5",
      "SELECT * FROM words ORDER BY 1",
      "SELECT * FROM ft_config ORDER BY 1",
    ]) {
      expect(hits(restored, sql)).toEqual(hits(source, sql));
      expect(hits(source, sql).length).toBeGreaterThan(0);
    }
  });

  it("keeps virtual tables that cannot be read back by what they keep", () => {
    const source = snapshotOf((database) => {
      database.exec(`
        CREATE VIRTUAL TABLE "con tent" USING fts5(a, content='', contentless_delete=1);
        INSERT INTO "con tent"(rowid, a) VALUES(5, 'apple'), (6, 'pear'); DELETE FROM "con tent" WHERE rowid = 6;
        CREATE VIRTUAL TABLE old USING fts4(a, content=""); INSERT INTO old(docid, a) VALUES(2, 'apple');
        CREATE VIRTUAL TABLE orphan USING fts5(a, content='gone');
        INSERT INTO orphan(rowid, a) VALUES(1, 'apple');
        CREATE TABLE normal(a);
      `);
    });
    const unreadable = ["con tent", "old", "orphan"];
    const restored = restore(dumpBytes(source, "sql"));
    const content = contentOf(restored, unreadable);
    expect(content).toEqual(contentOf(source, unreadable));
    for (const shadow of ["con tent_data", "con tent_docsize", "old_segdir", "orphan_data"]) {
      const rows = (database: Database.Database): unknown[] => database.prepare(`SELECT * FROM "${shadow}"`).all();
      expect(rows(restored)).toEqual(rows(source));
    }
    expect(restored.prepare(`SELECT rowid FROM "con tent"('apple OR pear')`).raw().all()).toEqual([[5]]);
  });

  it("restores where SQLite defends its own tables, unless it says so in its first line", () => {
    const source = snapshotOf((database) =>
      database.exec(
        "CREATE VIRTUAL TABLE ft USING fts5(a); INSERT INTO ft VALUES('apple'); CREATE VIRTUAL TABLE rt USING rtree(id, a, b)",
      ),
    );
    const target = new Database(":memory:");
    target.exec(dumpBytes(source, "sql").toString());
    expect(contentOf(target)).toEqual(contentOf(source));
    target.close();
  });

  it("takes indexes, triggers and sequences with the tables that are chosen", () => {
    const source = snapshotOf(buildNasty);
    const restored = restore(dumpBytes(source, "sql", { tables: ["PARENT", "child"] }));
    const names = restored
      .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1")
      .pluck()
      .all();
    expect(names).toEqual(["child", "in dex", "parent", "trig ger"]);
    expect(restored.prepare("SELECT name, seq FROM sqlite_sequence").safeIntegers().raw().all()).toEqual([
      ["parent", 9223372036854775000n],
    ]);
    expect(restored.pragma("user_version", { simple: true })).toBe(0);
  });

  it("leaves out what it is told to", () => {
    const source = snapshotOf((database) =>
      database.exec("CREATE TABLE a(x); CREATE TABLE b(x); CREATE VIEW v AS SELECT * FROM b"),
    );
    expect(DUMP_FORMATS.sql.open(source, { tables: "all", except: ["B"] }).tables).toEqual(["a"]);
  });

  it("refuses a table that is not there, and a view", () => {
    const source = snapshotOf((database) => database.exec("CREATE TABLE a(x); CREATE VIEW v AS SELECT * FROM a"));
    for (const table of ["b", "v", "sqlite_schema", 'a"; --']) {
      expect(() => DUMP_FORMATS.sql.open(source, { table })).toThrow(
        expect.objectContaining({ code: "TABLE_MISSING" }),
      );
    }
  });

  it("ends statements whose text ends in a comment, and adds nothing to others", () => {
    const source = snapshotOf((database) => {
      database.exec("CREATE VIEW v1 AS SELECT 1 -- end");
      database.exec("CREATE VIEW v2 AS SELECT '--' AS a");
      database.exec("CREATE VIEW v3 AS SELECT 1 /* -- */");
      database.exec('CREATE TABLE t1("--") STRICT, WITHOUT ROWID'.replace('"--"', '"--" ANY PRIMARY KEY'));
      database.exec("CREATE TABLE t2(a ANY) STRICT -- with an end\n;");
      database.exec("CREATE TABLE t3(a) /* after */");
    });
    expect(contentOf(restore(dumpBytes(source, "sql")))).toEqual(contentOf(source));
  });

  it("restores an empty database, and one that once had numbered rows", () => {
    expect(
      contentOf(
        restore(
          dumpBytes(
            snapshotOf(() => {}),
            "sql",
          ),
        ),
      ).schema,
    ).toEqual([]);
    const source = snapshotOf((database) =>
      database.exec(
        "CREATE TABLE a(i INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE a; CREATE TABLE b(i -- was AUTOINCREMENT\n)",
      ),
    );
    expect(contentOf(restore(dumpBytes(source, "sql")))).toEqual(contentOf(source));
  });
});
