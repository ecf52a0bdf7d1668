import { execFileSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { copyBetweenLocks } from "../../../src/pages/source/copy-between-locks.js";
import { atEnd } from "../../support/at-end.js";
import { buildSnippet } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { openDatabase, type Reader, startReader, wholeTotal } from "./source-fixture.js";
import { transact } from "./transact.js";

let reader: Reader;
beforeAll(async () => {
  reader = await startReader();
});

async function pagesOf(path: string): Promise<{ opened: unknown; bytes: Buffer; out: string }> {
  const opened = await reader.ask("open", path);
  const out = join(tempDir(), "out.db");
  await reader.ask("write", out);
  await reader.ask("close");
  expect(readdirSync(reader.workDir)).toEqual([]);
  return { opened, bytes: readFileSync(out), out };
}

/** Not by this process, which would let go of its locks with it. */
function bytesOf(path: string): Buffer {
  return execFileSync("cat", [path], { maxBuffer: 1e9 });
}

/** A database whose transaction was cut off by the death of its program, when a part of it stood in the file. */
async function unfinishedDatabase(folder = tempDir()): Promise<string> {
  const { path, database } = openDatabase({ mode: "delete", megabytes: 0.5, folder });
  database.close();
  const child = spawnNode(
    await buildSnippet(`
      import Database from "better-sqlite3";
      const database = new Database(${JSON.stringify(path)});
      database.pragma("cache_size = 5");
      database.exec("BEGIN; UPDATE account SET n = 7; UPDATE log SET body = randomblob(990)");
      console.log("written");
      setInterval(() => {}, 1000);
    `),
  );
  await child.waitForLine(/^written$/);
  await child.kill();
  expect(existsSync(`${path}-journal`)).toBe(true);
  return path;
}

describe("openPageSource of a database that is not in WAL mode", () => {
  it.each(["delete", "truncate", "persist", "memory", "off"])(
    "reads it byte for byte in mode %s, while others have it open",
    async (mode) => {
      const { path, database } = openDatabase({ mode, pageSize: 1024, autoVacuum: "incremental" });
      transact(database);
      const { opened, bytes } = await pagesOf(path);
      expect(opened).toEqual({ pageSize: 1024, pageCount: bytes.length / 1024 });
      expect(bytes.equals(bytesOf(path))).toBe(true);
      // And nothing is left in anybody's way.
      database.pragma("busy_timeout = 0");
      database.exec("BEGIN EXCLUSIVE; COMMIT");
      expect(database.pragma("journal_mode = WAL", { simple: true })).toBe("wal");
    },
  );

  it("reads pages of every size", async () => {
    for (const pageSize of [512, 2048, 8192, 65_536]) {
      const { path, database } = openDatabase({ mode: "delete", pageSize });
      transact(database);
      const { opened, bytes } = await pagesOf(path);
      expect(opened).toMatchObject({ pageSize });
      expect(bytes.equals(bytesOf(path))).toBe(true);
    }
  });

  it("reads an empty file as a database without pages", async () => {
    const path = join(tempDir(), "empty.db");
    closeSync(openSync(path, "w"));
    const { opened, bytes } = await pagesOf(path);
    expect(opened).toEqual({ pageSize: 4096, pageCount: 0 });
    expect(bytes.length).toBe(0);
  });

  it("counts the pages that SQLite counts, where the file is longer, and where the header's count is not kept", async () => {
    const { path, database } = openDatabase({ mode: "delete" });
    database.close();
    const whole = readFileSync(path);
    const pageCount = whole.length / 4096;
    const fd = openSync(path, "r+");
    atEnd(() => closeSync(fd));
    writeSync(fd, Buffer.alloc(3 * 4096 + 5, 1), 0, undefined, whole.length);
    expect((await pagesOf(path)).bytes.equals(whole)).toBe(true);
    // As SQLite before 3.7.0 wrote it: the size of the file counts, and a piece of a page is none that is whole.
    writeSync(fd, Buffer.alloc(4), 0, 4, 92);
    await expect(reader.ask("open", path)).rejects.toMatchObject({
      code: "NOT_A_DATABASE",
      message: expect.stringContaining("is cut short"),
    });
    execFileSync("truncate", ["-s", String(whole.length), path]);
    expect((await pagesOf(path)).opened).toEqual({ pageSize: 4096, pageCount });
  });

  it("waits for a writer's lock, and says who is in the way when it is not let go of", async () => {
    const { path, database } = openDatabase({ mode: "delete" });
    database.exec("BEGIN EXCLUSIVE");
    await expect(reader.ask("open", path, 0.1)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining("is locked by another program"),
    });
    const opening = reader.ask("open", path);
    database.exec("COMMIT");
    await opening;
    await reader.ask("close");
  });

  it("rolls back what a dead program has left unfinished", async () => {
    const path = await unfinishedDatabase();
    const { out, bytes } = await pagesOf(path);
    expect(wholeTotal(out)).toBe(1);
    expect(bytes.equals(bytesOf(path))).toBe(true);
    expect(existsSync(`${path}-journal`)).toBe(false);
  });
});

describe("copyBetweenLocks", () => {
  /** A copy of a database in slices of 64 KB, between which `meanwhile` happens to it. */
  function slicedCopy(meanwhile: (database: Database.Database, slice: number) => void, steadySeconds = 30) {
    const { path, database: other } = openDatabase({ mode: "delete", megabytes: 1 });
    const database = new Database(path, { readonly: true, timeout: 0 });
    const fd = openSync(path, "r");
    atEnd(() => {
      database.close();
      other.close();
      closeSync(fd);
    });
    const copy = Buffer.alloc(3_000_000);
    let slices = 0;
    const onStep = () => {
      slices += 1;
      meanwhile(other, slices);
    };
    const limits = { restarts: 5, stepBytes: 65_536, laterStepBytes: 65_536 };
    const options = { path, database, Driver: Database, fd, signal: undefined, steadySeconds, onStep };
    const copying = copyBetweenLocks(options, { write: (bytes, at) => copy.set(bytes, at) }, limits);
    return { path, other, copy, copying };
  }

  it("begins anew where somebody writes between two slices", async () => {
    const { other, copy, copying, path } = slicedCopy((database, slice) => {
      if (slice === 3 || slice === 6) transact(database, "large");
    });
    const size = await copying;
    other.close();
    const bytes = readFileSync(path);
    expect(size).toEqual({ pageSize: 4096, pageCount: bytes.length / 4096 });
    expect(copy.subarray(0, bytes.length).equals(bytes)).toBe(true);
  });

  it("gives up where somebody always does", async () => {
    const { copying, path } = slicedCopy((database) => transact(database), 0.02);
    await expect(copying).rejects.toMatchObject({
      code: "SNAPSHOT_UNSTEADY",
      message: expect.stringContaining(path),
      hint: expect.stringContaining("PRAGMA journal_mode = WAL"),
      retryable: true,
    });
  });

  it("gives up where a lock is not let go of", async () => {
    const { copying } = slicedCopy((database, slice) => {
      if (slice === 2) database.exec("BEGIN EXCLUSIVE");
    }, 0.1);
    await expect(copying).rejects.toMatchObject({ code: "SNAPSHOT_UNSTEADY" });
  });

  it("leaves it to others where the database goes over to WAL mode", async () => {
    const { copying } = slicedCopy((database, slice) => {
      if (slice === 2) database.pragma("journal_mode = WAL");
    });
    expect(await copying).toBeNull();
  });
});
