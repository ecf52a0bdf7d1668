import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { checkpointedBytes, openDatabase, type Reader, startReader } from "./source-fixture.js";
import { transact } from "./transact.js";

const NOBODY = "65534";
let reader: Reader;
let closed: string;
let out: string;

beforeAll(async () => {
  reader = await startReader(NOBODY);
  chmodSync(reader.workDir, 0o777);
});

beforeEach(() => {
  const dir = tempDir();
  chmodSync(dir, 0o777);
  closed = join(dir, "closed");
  mkdirSync(closed);
  out = join(dir, "out.db");
  // Our own cleanup may be no root's.
  atEnd(() => chmodSync(closed, 0o755));
});

/** From now on the reader may read the folder and its files, and write to neither. */
function confine(): void {
  for (const name of readdirSync(closed)) chmodSync(join(closed, name), 0o444);
  chmodSync(closed, 0o555);
}

async function pagesOf(path: string): Promise<Buffer> {
  await reader.ask("open", path, 0.2);
  await reader.ask("write", out);
  await reader.ask("close");
  expect(readdirSync(reader.workDir)).toEqual([]);
  return readFileSync(out);
}

describe("openPageSource where it may not write", () => {
  it.each(["wal", "delete"])("reads a database in mode %s that nobody has open", async (mode) => {
    const { path, database } = openDatabase({ mode, folder: closed });
    database.close();
    confine();
    expect((await pagesOf(path)).equals(readFileSync(path))).toBe(true);
    expect(readdirSync(closed)).toEqual(["source.db"]);
  });

  it("reads a database in WAL mode while another program has it open, with what stands in the log", async () => {
    const { path, database } = openDatabase({ folder: closed });
    transact(database);
    confine();
    const expected = checkpointedBytes(path);
    expect((await pagesOf(path)).equals(expected)).toBe(true);
    transact(database);
    const later = checkpointedBytes(path);
    expect(later.equals(expected)).toBe(false);
    expect((await pagesOf(path)).equals(later)).toBe(true);
  });

  /** What a program leaves that dies. */
  function leave(path: string, suffixes: readonly string[]): void {
    const { path: other, database } = openDatabase();
    transact(database);
    for (const suffix of suffixes) execFileSync("cp", [`${other}${suffix}`, `${path}${suffix}`]);
  }

  it("reads what a dead program has left in log and index", async () => {
    const path = join(closed, "left.db");
    leave(path, ["", "-wal", "-shm"]);
    confine();
    expect((await pagesOf(path)).equals(checkpointedBytes(path))).toBe(true);
  });

  it("does not believe an index that is older than the log", async () => {
    const path = join(closed, "left.db");
    const { path: other, database } = openDatabase();
    execFileSync("cp", [`${other}-shm`, `${path}-shm`]);
    transact(database);
    for (const suffix of ["", "-wal"]) execFileSync("cp", [`${other}${suffix}`, `${path}${suffix}`]);
    confine();
    const reading = pagesOf(path).then((bytes) => bytes.equals(checkpointedBytes(path)));
    await expect(reading).rejects.toMatchObject({ code: "SNAPSHOT_UNSTEADY", hint: expect.stringContaining("-shm") });
  }, 30_000);

  it("refuses a log without an index, which only those can read who may make one", async () => {
    const path = join(closed, "left.db");
    leave(path, ["", "-wal"]);
    confine();
    await expect(pagesOf(path)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      hint: expect.stringContaining("write to"),
      retryable: true,
    });
  });

  it("refuses a transaction that a dead program has left unfinished", async () => {
    const { path, database } = openDatabase({ mode: "delete", folder: closed });
    database.exec("PRAGMA cache_size = 5; BEGIN; UPDATE log SET body = randomblob(990)");
    const left = join(closed, "left.db");
    for (const suffix of ["", "-journal"]) execFileSync("cp", [`${path}${suffix}`, `${left}${suffix}`]);
    confine();
    await expect(pagesOf(left)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining("left in the middle of a transaction"),
      hint: expect.stringContaining("rolls the transaction back"),
    });
  });

  it("says of a file that it may not read", async () => {
    const path = join(closed, "secret.db");
    copyFileSync(openDatabaseFile(), path);
    chmodSync(path, 0o000);
    await expect(pagesOf(path)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining(path),
    });
    rmSync(path);
    writeFileSync(path, "");
  });
});

function openDatabaseFile(): string {
  const { path, database } = openDatabase({ mode: "delete" });
  database.close();
  return path;
}
