import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { LocalDatabase } from "../../../src/tables/local/local-database.js";
import { buildSnippet } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { openLocal } from "./local-fixture.js";

describe("LocalDatabase", () => {
  it("makes the file and the folders above it", async () => {
    const path = join(tempDir(), "a", "b c", "local.db");
    const database = await openLocal(path);
    expect(database.path).toBe(path);
    expect(existsSync(path)).toBe(true);
  });

  it("uses a bounded write-ahead log that survives a killed process", async () => {
    const database = await openLocal();
    const pragma = (name: string) => Object.values(database.get<Record<string, unknown>>(`PRAGMA ${name}`) ?? {})[0];
    expect(pragma("journal_mode")).toBe("wal");
    expect(pragma("synchronous")).toBe(1);
    expect(pragma("foreign_keys")).toBe(0);
    expect(pragma("trusted_schema")).toBe(0);
    expect(pragma("cell_size_check")).toBe(1);
    expect(pragma("busy_timeout")).toBe(5_000);
    expect(pragma("wal_autocheckpoint")).toBe(16_000);
    expect(pragma("journal_size_limit")).toBe(64 * 1024 * 1024);
  });

  it("refuses what is no SQLite database, and leaves it as it is", async () => {
    const path = join(tempDir(), "notes.txt");
    writeFileSync(path, "just some text ".repeat(100));
    await expect(LocalDatabase.open(path)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining(`${path} cannot be opened: the file is no SQLite database`),
      hint: expect.any(String),
    });
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it("refuses a folder, and a path below a file", async () => {
    const dir = tempDir();
    mkdirSync(join(dir, "folder"));
    writeFileSync(join(dir, "file"), "");
    await expect(LocalDatabase.open(join(dir, "folder"))).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringMatching(/it is a folder$/),
    });
    await expect(LocalDatabase.open(join(dir, "file", "local.db"))).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining("cannot be made (EEXIST)"),
    });
  });

  it("refuses a file or folder that this user cannot write to", async () => {
    const dir = tempDir();
    new Sqlite(join(dir, "local.db")).close();
    // Root may write anywhere, so a process that is somebody else looks.
    const child = spawnNode(
      await buildSnippet(`
        import { chmodSync } from "node:fs";
        import { LocalDatabase } from "./src/tables/local/local-database.js";
        const [dir] = process.argv.slice(2);
        await LocalDatabase.open(dir + "/warm.db").then((database) => database.close());
        chmodSync(dir, 0o755);
        chmodSync(dir + "/local.db", 0o444);
        if (process.getuid?.() === 0) process.setuid?.(65534);
        else chmodSync(dir, 0o555);
        for (const name of ["local.db", "new.db"]) {
          try { await LocalDatabase.open(dir + "/" + name); console.log("opened"); }
          catch (error) { console.log(error.code + " " + error.message + " " + error.hint); }
        }
      `),
      [dir],
    );
    const [file] = await child.waitForLine(/.+/);
    expect(file).toMatch(/^LOCAL_DATABASE .*local\.db cannot be written to \(EACCES\)/);
    const [folder] = await child.waitForLine(/.+/);
    expect(folder).toBe(
      `LOCAL_DATABASE The local database ${dir}/new.db cannot be opened: ${dir} cannot be written to (EACCES) Give this user the right to write there.`,
    );
  });

  it("rolls a transaction back on any throw, and goes on", async () => {
    const database = await openLocal();
    database.exec("CREATE TABLE t (n INTEGER)");
    const mistake = new RangeError("mine");
    expect(() =>
      database.transaction(() => {
        database.run("INSERT INTO t VALUES (?)", 1);
        throw mistake;
      }),
    ).toThrow(mistake);
    expect(database.inTransaction).toBe(false);
    expect(database.transaction(() => database.run("INSERT INTO t VALUES (?), (?)", 2, 3n))).toBe(2);
    expect(database.all("SELECT n FROM t ORDER BY n")).toEqual([{ n: 2 }, { n: 3 }]);
  });

  it("refuses a transaction in a transaction, and one that would wait", async () => {
    const database = await openLocal();
    database.exec("CREATE TABLE t (n INTEGER)");
    expect(() => database.transaction(() => database.transaction(() => {}))).toThrow(TypeError);
    expect(() =>
      database.transaction(async () => {
        database.run("INSERT INTO t VALUES (1)");
      }),
    ).toThrow(TypeError);
    expect(database.all("SELECT n FROM t")).toEqual([]);
  });

  it("prepares a statement once, and again by itself when the schema has changed", async () => {
    const database = await openLocal();
    database.exec("CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x')");
    const statement = database.prepareRows("SELECT a, b FROM t");
    expect(database.prepareRows("SELECT a, b FROM t")).toBe(statement);
    expect(statement.all()).toEqual([[1n, "x"]]);
    database.exec("DROP TABLE t; CREATE TABLE t (b TEXT, c TEXT, a INTEGER); INSERT INTO t VALUES ('y', 'z', 2)");
    expect(database.prepareRows("SELECT a, b FROM t").all()).toEqual([[2n, "y"]]);
    database.exec("ALTER TABLE t RENAME TO u");
    expect(() => database.prepareRows("SELECT a, b FROM t").all()).toThrow("no such table: t");
    for (let n = 0; n < 1_000; n += 1) database.get(`SELECT ${n} AS n`);
    expect(database.prepareRows("SELECT a, b FROM u").all()).toEqual([[2n, "y"]]);
  });

  it("says so when another program holds a write lock, and works again when it lets go", async () => {
    const database = await openLocal(undefined, { busyTimeoutMs: 50 });
    database.exec("CREATE TABLE t (n INTEGER)");
    const other = new Sqlite(database.path);
    other.exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
    expect(() => database.transaction(() => database.run("INSERT INTO t VALUES (2)"))).toThrow(
      expect.objectContaining({
        code: "LOCAL_DATABASE",
        retryable: true,
        message: expect.stringContaining("another program holds a lock"),
      }),
    );
    other.exec("COMMIT");
    other.close();
    expect(database.transaction(() => database.run("INSERT INTO t VALUES (2)"))).toBe(1);
    expect(database.all("SELECT n FROM t")).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it("keeps the last commit when the disk is full, and works again when there is room", async () => {
    const database = await openLocal();
    database.exec("CREATE TABLE t (n INTEGER, data BLOB); INSERT INTO t VALUES (0, NULL)");
    const fill = () =>
      database.transaction(() => {
        for (let n = 1; n <= 50; n += 1) database.run("INSERT INTO t VALUES (?, zeroblob(10000))", n);
      });
    database.exec("PRAGMA max_page_count = 20");
    expect(fill).toThrow(
      expect.objectContaining({
        code: "LOCAL_DATABASE",
        retryable: true,
        message: expect.stringContaining("the disk is full (SQLITE_FULL"),
        hint: expect.stringContaining("Free space"),
      }),
    );
    expect(database.inTransaction).toBe(false);
    expect(database.get("SELECT count(*) AS n FROM t")).toEqual({ n: 1 });
    database.exec("PRAGMA max_page_count = 1000000");
    fill();
    expect(database.get("SELECT count(*) AS n FROM t")).toEqual({ n: 51 });
  });

  it("leaves the old state behind when the process is killed inside a transaction", async () => {
    const path = join(tempDir(), "local.db");
    const child = spawnNode(
      await buildSnippet(`
        import { LocalDatabase } from "./src/tables/local/local-database.js";
        const database = await LocalDatabase.open(process.argv[2]);
        database.exec("CREATE TABLE t (n INTEGER, data BLOB)");
        database.transaction(() => database.run("INSERT INTO t VALUES (1, NULL)"));
        database.transaction(() => {
          // More than the cache holds, so that pages of the open transaction have reached the file.
          for (let n = 0; n < 400; n += 1) database.run("INSERT INTO t VALUES (?, randomblob(100000))", n);
          process.stdout.write("inside\\n");
          for (;;);
        });
      `),
      [path],
    );
    await child.waitForLine(/^inside$/);
    await child.kill("SIGKILL");
    const database = await openLocal(path);
    expect(database.all("SELECT n FROM t")).toEqual([{ n: 1 }]);
    expect(database.get("PRAGMA integrity_check")).toEqual({ integrity_check: "ok" });
  });

  it("closes twice without harm and leaves no files beside the database", async () => {
    const database = await openLocal();
    database.exec("CREATE TABLE t (n INTEGER)");
    database.close();
    database.close();
    expect(existsSync(`${database.path}-wal`)).toBe(false);
  });
});
