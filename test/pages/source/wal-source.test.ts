import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { tempDir } from "../../support/temp-dir.js";
import { checkpointedBytes, openDatabase, type Reader, startReader, wholeTotal } from "./source-fixture.js";
import { transact } from "./transact.js";

let reader: Reader;
beforeAll(async () => {
  reader = await startReader();
});

/** What the reader sees. */
async function pagesOf(): Promise<Buffer> {
  const out = join(tempDir(), "out.db");
  await reader.ask("write", out);
  return readFileSync(out);
}

/** Tries to move everything that a reader could be standing on. */
function disturb(database: Database.Database): void {
  database.pragma("busy_timeout = 0");
  for (const kind of ["PASSIVE", "FULL", "RESTART", "TRUNCATE"]) {
    for (let turn = 0; turn < 3; turn += 1) transact(database);
    try {
      database.pragma(`wal_checkpoint(${kind})`);
    } catch {
      // Busy: the reader is in the way.
    }
    transact(database);
  }
}

describe("openPageSource of a database in WAL mode", () => {
  it("reads pages of every size, byte for byte, from log and file", async () => {
    for (const pageSize of [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]) {
      const { path, database } = openDatabase({ pageSize });
      database.pragma("wal_checkpoint(PASSIVE)");
      for (let turn = 0; turn < 5; turn += 1) transact(database);
      const expected = checkpointedBytes(path);
      expect(await reader.ask("open", path)).toEqual({ pageSize, pageCount: expected.length / pageSize });
      expect((await pagesOf()).equals(expected)).toBe(true);
      await reader.ask("close");
    }
  });

  it.each([
    ["nothing is copied into the file", () => {}],
    [
      "some frames are copied into the file",
      (database: Database.Database) => {
        database.pragma("wal_checkpoint(PASSIVE)");
        for (let turn = 0; turn < 3; turn += 1) transact(database);
      },
    ],
    [
      "all frames are copied into the file",
      (database: Database.Database) => database.pragma("wal_checkpoint(PASSIVE)"),
    ],
    [
      "the log is begun anew",
      (database: Database.Database) => {
        database.pragma("wal_checkpoint(RESTART)");
        transact(database);
      },
    ],
    ["the log is empty", (database: Database.Database) => database.pragma("wal_checkpoint(TRUNCATE)")],
    [
      "the database has shrunk",
      (database: Database.Database) => {
        database.pragma("wal_checkpoint(PASSIVE)");
        database.exec("DELETE FROM log WHERE id > 20; VACUUM");
      },
    ],
    [
      "the database has shrunk and all is copied into the file",
      (database: Database.Database) => {
        database.exec("DELETE FROM log WHERE id > 20; VACUUM");
        database.pragma("wal_checkpoint(PASSIVE)");
      },
    ],
  ])("stays on its moment where %s, whatever is written and checkpointed after", async (_, prepare) => {
    const { path, database } = openDatabase();
    for (let turn = 0; turn < 10; turn += 1) transact(database);
    prepare(database);
    const expected = checkpointedBytes(path);
    await reader.ask("open", path);
    for (let turn = 0; turn < 3; turn += 1) {
      disturb(database);
      expect((await pagesOf()).equals(expected)).toBe(true);
    }
    // And nothing is left in anybody's way.
    await reader.ask("close");
    expect(database.pragma("wal_checkpoint(TRUNCATE)")).toEqual([{ busy: 0, log: 0, checkpointed: 0 }]);
    await reader.ask("open", path);
    const later = await pagesOf();
    expect(later.equals(checkpointedBytes(path))).toBe(true);
    expect(later.equals(expected)).toBe(false);
    await reader.ask("close");
  });

  it("reads a database that nobody has open, and leaves nothing beside it", async () => {
    const { path, database } = openDatabase();
    database.close();
    const bytes = readFileSync(path);
    await reader.ask("open", path);
    expect(existsSync(`${path}-shm`)).toBe(true);
    expect((await pagesOf()).equals(bytes)).toBe(true);
    await reader.ask("close");
    expect(readdirSync(join(path, ".."))).toEqual(["source.db"]);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it("reads what a dead program has left in the log", async () => {
    const { path, database } = openDatabase();
    transact(database);
    const copy = join(tempDir(), "left.db");
    for (const suffix of ["", "-wal"]) execFileSync("cp", [`${path}${suffix}`, `${copy}${suffix}`]);
    const expected = checkpointedBytes(copy);
    await reader.ask("open", copy);
    expect((await pagesOf()).equals(expected)).toBe(true);
    await reader.ask("close");
  });

  it("lets go of everything when it is closed", async () => {
    const { path, database } = openDatabase();
    transact(database);
    const openFiles = () =>
      readdirSync(`/proc/${reader.child.pid}/fd`).filter((fd) => {
        try {
          return readlinkSync(`/proc/${reader.child.pid}/fd/${fd}`).startsWith(path);
        } catch {
          return false;
        }
      });
    await reader.ask("open", path);
    if (process.platform === "linux") expect(openFiles().length).toBeGreaterThanOrEqual(3);
    await reader.ask("close");
    if (process.platform === "linux") expect(openFiles()).toEqual([]);
    // Wants the file for itself.
    expect(database.pragma("journal_mode = DELETE", { simple: true })).toBe("delete");
    expect(readdirSync(join(path, ".."))).toEqual(["source.db"]);
    expect(wholeTotal(path)).toBe(2);
  });

  it("says that a database is locked which another program has to itself", async () => {
    const { path, database } = openDatabase();
    database.pragma("locking_mode = EXCLUSIVE");
    transact(database);
    await expect(reader.ask("open", path, 0.1)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining("is locked by another program"),
      hint: expect.stringContaining("locking_mode = EXCLUSIVE"),
      retryable: true,
    });
  });
});
