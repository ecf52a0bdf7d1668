import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { takeSnapshot } from "../../../src/exports/dump/take-snapshot.js";
import { inCi } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { databaseOf } from "./dump-fixture.js";

function contentOf(file: string): string {
  return execFileSync("sqlite3", [file, ".dump"], { encoding: "utf8", maxBuffer: 1e9 });
}

/** The file as it would be found after its writer died: copied while it is open. */
function crashed(source: string, suffix: string): string {
  const copy = join(tempDir(), "crashed.db");
  copyFileSync(source, copy);
  copyFileSync(`${source}${suffix}`, `${copy}${suffix}`);
  return copy;
}

describe("takeSnapshot", () => {
  it.each(["wal", "delete"] as const)(
    "copies a database in mode %s to a file that needs nothing beside it",
    async (mode) => {
      const database = databaseOf(3, mode);
      const target = join(tempDir(), "copy.db");
      const seen: number[] = [];
      const { bytes } = await takeSnapshot({ database, target, onProgress: ({ bytesDone }) => seen.push(bytesDone) });
      expect(bytes).toBe(statSync(database).size);
      expect(statSync(target).size).toBe(bytes);
      expect(statSync(target).mode & 0o777).toBe(0o600);
      const copy = new Database(target, { readonly: true });
      expect(copy.pragma("journal_mode", { simple: true })).toBe("delete");
      expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
      copy.close();
      expect(readdirSync(join(target, ".."))).toEqual(["copy.db"]);
      expect(contentOf(target)).toBe(contentOf(database));
    },
  );

  it("keeps rowids, page size, free pages and settings", async () => {
    const database = join(tempDir(), "source.db");
    const writer = new Database(database);
    writer.exec(`
      PRAGMA page_size = 1024; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA encoding = 'UTF-16le'; PRAGMA user_version = 7; PRAGMA application_id = 99;
      CREATE TABLE t(a); INSERT INTO t(rowid, a) VALUES(5, zeroblob(50000)), (-3, 'x'), (9007199254740993, 'y'); DELETE FROM t WHERE rowid = 5;
    `);
    const target = join(tempDir(), "copy.db");
    await takeSnapshot({ database, target });
    const copy = new Database(target, { readonly: true });
    const settings = ["page_size", "auto_vacuum", "encoding", "user_version", "application_id", "freelist_count"];
    for (const name of settings) expect(copy.pragma(name)).toEqual(writer.pragma(name));
    expect(copy.prepare("SELECT rowid, a FROM t").safeIntegers(true).all()).toEqual([
      { rowid: -3n, a: "x" },
      { rowid: 9007199254740993n, a: "y" },
    ]);
    copy.close();
    writer.close();
  });

  it("copies what a crashed writer left in its WAL", async () => {
    const source = databaseOf(0.1);
    const writer = new Database(source);
    writer.pragma("wal_autocheckpoint = 0");
    writer.exec("UPDATE pair SET n = 42");
    const database = crashed(source, "-wal");
    writer.close();
    const before = readFileSync(database);
    const target = join(tempDir(), "copy.db");
    await takeSnapshot({ database, target });
    const copy = new Database(target, { readonly: true });
    expect(copy.prepare("SELECT n FROM pair").pluck().all()).toEqual([42, 42]);
    copy.close();
    expect(readFileSync(database)).toEqual(before);
  });

  it("copies a file of no bytes as the empty database that it is", async () => {
    const database = join(tempDir(), "empty.db");
    writeFileSync(database, "");
    const target = join(tempDir(), "copy.db");
    await takeSnapshot({ database, target });
    const copy = new Database(target, { readonly: true });
    expect(copy.prepare("SELECT count(*) FROM sqlite_schema").pluck().get()).toBe(0);
    copy.close();
  });

  it("replaces an older copy, and what a process that died left beside it", async () => {
    const database = databaseOf(0.1);
    const target = join(tempDir(), "copy.db");
    for (const suffix of ["", ".part", ".part-journal"]) writeFileSync(`${target}${suffix}`, "left behind");
    await takeSnapshot({ database, target });
    expect(readdirSync(join(target, ".."))).toEqual(["copy.db"]);
    expect(contentOf(target)).toBe(contentOf(database));
  });

  const write = (path: string, content: string | Buffer): string => {
    writeFileSync(path, content);
    return path;
  };
  it.each([
    ["is missing", (path: string) => path, /does not exist/],
    ["is in a folder that is missing", (path: string) => join(path, "x.db"), /does not exist/],
    ["is a folder", (path: string) => join(path, ".."), /is a folder/],
    ["is a device", () => "/dev/null", /no ordinary file/],
    ["is no database", (path: string) => write(path, "id,name\n1,x\n".repeat(1_000)), /no SQLite database/],
    ["looks encrypted", (path: string) => write(path, Buffer.alloc(8192, 0xa7)), /encrypted/],
  ])("says so where the database %s", async (_, make, message) => {
    const database = make(join(tempDir(), "broken.db"));
    const target = join(tempDir(), "copy.db");
    const error = await takeSnapshot({ database, target }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "LOCAL_DATABASE", hint: expect.any(String) });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(database);
    expect(readdirSync(join(target, ".."))).toEqual([]);
  });

  it("says so where the end of the database is missing", async () => {
    const database = databaseOf(1, "delete");
    truncateSync(database, 300_000);
    const target = join(tempDir(), "copy.db");
    const error = await takeSnapshot({ database, target }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "LOCAL_DATABASE" });
    expect(error.message).toContain(database);
    expect(readdirSync(join(target, ".."))).toEqual([]);
  });

  it("leaves a transaction that a dead writer did not finish to those who may write", async () => {
    const source = databaseOf(1, "delete");
    const writer = new Database(source);
    writer.pragma("cache_size = 1");
    writer.pragma("synchronous = OFF");
    writer.exec("BEGIN; UPDATE filler SET n = n + 1; UPDATE pair SET n = 13");
    const database = crashed(source, "-journal");
    writer.exec("ROLLBACK");
    writer.close();
    const before = readFileSync(database);
    const target = join(tempDir(), "copy.db");
    const error = await takeSnapshot({ database, target }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "LOCAL_DATABASE", hint: expect.stringMatching(/rolls the transaction back/) });
    expect(error.message).toContain(database);
    expect(readFileSync(database)).toEqual(before);
    expect(existsSync(`${database}-journal`)).toBe(true);

    contentOf(database);
    await takeSnapshot({ database, target });
    expect(contentOf(target)).toContain("INSERT INTO pair VALUES(1,0,");
  });

  it.each((["wal", "delete"] as const).slice(0, inCi ? 2 : 1))(
    "waits for a lock in mode %s, but not for ever",
    async (mode) => {
      const database = databaseOf(0.1, mode);
      const target = join(tempDir(), "copy.db");
      const other = new Database(database);
      other.pragma("locking_mode = EXCLUSIVE");
      other.exec("BEGIN EXCLUSIVE; UPDATE pair SET n = 1; COMMIT");
      const error = await takeSnapshot({ database, target }).catch((thrown) => thrown);
      expect(error).toMatchObject({ code: "LOCAL_DATABASE", retryable: true });
      expect(error.message).toMatch(/locked by another program/);

      const waiting = takeSnapshot({ database, target });
      other.close();
      await waiting;
      expect(contentOf(target)).toBe(contentOf(database));
    },
  );

  it("says so where the folder of the copy is missing", async () => {
    const target = join(tempDir(), "nowhere", "copy.db");
    const error = await takeSnapshot({ database: databaseOf(0.1), target }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "LOCAL_DATABASE" });
    expect(error.message).toContain(target);
  });

  it("leaves nothing where it is cut short, at once or in the middle", async () => {
    const database = databaseOf(40);
    const target = join(tempDir(), "copy.db");
    const reason = new Error("enough");
    await expect(takeSnapshot({ database, target }, AbortSignal.abort(reason))).rejects.toBe(reason);
    for (const ms of [0, 20, 60, 90, 120]) {
      const abort = new AbortController();
      const taking = takeSnapshot({ database, target }, abort.signal);
      setTimeout(() => abort.abort(reason), ms);
      // On a quick machine the copy may be whole before the last of these.
      const outcome = await taking.catch((error) => error);
      if (outcome !== reason) expect(outcome).toEqual({ bytes: statSync(target).size });
      else expect(readdirSync(join(target, ".."))).toEqual(existsSync(target) ? ["copy.db"] : []);
    }
    await takeSnapshot({ database, target });
    expect(readdirSync(join(target, ".."))).toEqual(["copy.db"]);
  });

  it("keeps to the limits on disk", async () => {
    const database = databaseOf(1);
    const target = join(tempDir(), "copy.db");
    const { size } = statSync(database);
    await expect(takeSnapshot({ database, target, maxBytes: size - 1 })).rejects.toMatchObject({
      code: "DISK_LIMIT",
      hint: expect.any(String),
    });
    await expect(takeSnapshot({ database, target, minFreeBytes: 2 ** 52 })).rejects.toMatchObject({
      code: "DISK_LIMIT",
    });
    expect(readdirSync(join(target, ".."))).toEqual([]);
    await takeSnapshot({ database, target, maxBytes: size });
  });
});
