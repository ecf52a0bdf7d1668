import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { type EngineFixture, startEngine } from "./engine-fixture.js";

async function start(sql: string): Promise<EngineFixture & { readonly source: Database.Database }> {
  const path = join(tempDir(), "source.db");
  const source = new Database(path);
  atEnd(() => source.close());
  source.pragma("journal_mode = WAL");
  source.exec(sql);
  return { ...(await startEngine(`sqlite:${path}`)), source };
}

const NOTES = `CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, score REAL, data BLOB, updated_at DATETIME);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
  INSERT INTO notes SELECT i, 'note ' || i, i / 7.0, randomblob(8), datetime('2024-01-01', i || ' seconds') FROM n`;

describe("A table of a SQLite file", () => {
  it("is copied value for value and followed", async () => {
    const { add, rows, run, source } = await start(NOTES);
    source.exec("INSERT INTO notes VALUES (9007199254740993, 'large', 1e300, NULL, '2024-02-01 00:00:00')");
    const task = await add({ sourceTable: "notes", batchSize: 700 });
    expect(task).toMatchObject({ mode: "upsert", cursorColumn: "updated_at" });
    const all =
      "SELECT CAST(id AS TEXT) AS id, body, score, hex(data) AS data, typeof(score) AS t, updated_at FROM notes ORDER BY notes.id";
    expect(rows(all)).toEqual(source.prepare(all).all());
    source.exec("UPDATE notes SET body = 'changed', updated_at = '2024-03-01 00:00:00' WHERE id = 17");
    expect((await run(task)).rowsPulled).toBe(1);
    expect((await run(task)).rowsPulled).toBe(0);
    expect(rows(all)).toEqual(source.prepare(all).all());
  });

  it("loses deleted rows with reconcile, and is proved and mended", async () => {
    const { add, change, rows, run, source, verify } = await start(NOTES);
    const task = await add({ sourceTable: "notes", deletes: "reconcile" });
    source.exec("DELETE FROM notes WHERE id % 100 = 0");
    expect((await run(task, "requested")).rowsDeleted).toBe(50);
    expect(await verify(task)).toMatchObject({ equal: true });
    change("UPDATE notes SET score = 0 WHERE id = 3; DELETE FROM notes WHERE id = 4");
    expect(await verify(task, true)).toMatchObject({ missing: 1, different: 1, extra: 0, repaired: 2 });
    expect(rows("SELECT count(*) AS n FROM notes")).toEqual([{ n: 4_950 }]);
  });

  it("gets new columns, and is rebuilt when it was made anew", async () => {
    const { add, rows, run, source } = await start(NOTES);
    const task = await add({ sourceTable: "notes" });
    source.exec("ALTER TABLE notes ADD tag TEXT DEFAULT 'none'");
    await run(task);
    expect(rows("SELECT count(*) AS n FROM notes WHERE tag = 'none'")).toEqual([{ n: 5_000 }]);
    source.exec(
      "DROP TABLE notes; CREATE TABLE notes (id TEXT PRIMARY KEY, updated_at DATETIME); INSERT INTO notes VALUES ('a', '2020-01-01')",
    );
    await run(task);
    expect(rows("SELECT * FROM notes")).toEqual([{ id: "a", updated_at: "2020-01-01" }]);
  });

  it("whose ids may come again is copied in full, and by its id where they do not", async () => {
    const { add, rows, run, source } = await start(`CREATE TABLE reused (id INTEGER PRIMARY KEY, v);
      CREATE TABLE once (id INTEGER PRIMARY KEY AUTOINCREMENT, v)`);
    const tasks = [];
    for (const table of ["reused", "once"]) {
      source.exec(`INSERT INTO ${table} (v) VALUES ('a'), ('b')`);
      tasks.push(await add({ sourceTable: table }));
      source.exec(`DELETE FROM ${table} WHERE id = 2; INSERT INTO ${table} (v) VALUES ('c')`);
    }
    for (const task of tasks) await run(task);
    expect(rows("SELECT id, v FROM reused ORDER BY id")).toEqual(source.prepare("SELECT id, v FROM reused").all());
    expect(rows("SELECT id, v FROM once WHERE v = 'c'")).toEqual([{ id: 3, v: "c" }]);
    expect(tasks).toMatchObject([
      { mode: "full", cursorColumn: null },
      { mode: "append", cursorColumn: "id" },
    ]);
  });

  it("without a key is copied in full or by append", async () => {
    const { add, rows, run, source } = await start(
      "CREATE TABLE log (at DATETIME, line TEXT); INSERT INTO log VALUES ('2024-01-01 00:00:00', 'a'), ('2024-01-01 00:00:00', 'a')",
    );
    const append = await add({ sourceTable: "log", mode: "append", cursorColumn: "at" });
    const full = await add({ sourceTable: "log", mode: "full", targetTable: "log_full" });
    source.exec("INSERT INTO log VALUES ('2024-01-02 00:00:00', 'b')");
    await run(append);
    await run(full);
    for (const table of ["log", "log_full"]) expect(rows(`SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: 3 }]);
  });
});
