import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createAccountTables } from "../../../src/pages/accounts/accounts-schema.js";
import { mapAccountsError } from "../../../src/pages/accounts/map-accounts-error.js";
import { type AccountFile, openAccountFile } from "../../../src/pages/accounts/open-account-file.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

async function open(dir: string): Promise<AccountFile> {
  const file = await openAccountFile(dir);
  atEnd(() => file.close());
  return file;
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe("openAccountFile", () => {
  it("makes a folder and files that are for this user alone", async () => {
    const dir = join(tempDir(), "not", "yet");
    const { database } = await open(dir);
    database.exec("INSERT INTO organisations VALUES ('x', 1)");
    expect(modeOf(dir)).toBe(0o700);
    expect(readdirSync(dir)).toEqual(expect.arrayContaining(["accounts.db", "accounts.db-wal"]));
    for (const name of ["accounts.db", "accounts.db-wal"]) expect(modeOf(join(dir, name))).toBe(0o600);
    expect(database.pragma("synchronous", { simple: true })).toBe(2);
  });

  it("takes back what a restored file shows to others, and keeps its rows", async () => {
    const dir = tempDir();
    const first = await open(dir);
    first.database.exec("INSERT INTO organisations VALUES ('x', 1)");
    first.close();
    const path = join(dir, "accounts.db");
    chmodSync(path, 0o644);
    const { database } = await open(dir);
    expect(modeOf(path)).toBe(0o600);
    expect(database.prepare("SELECT id FROM organisations").pluck().all()).toEqual(["x"]);
  });

  it("is for one owner, whose locks a second one in the same process leaves alone", async () => {
    const dir = tempDir();
    const first = await open(dir);
    const toRollback = () =>
      spawnSync("sqlite3", [join(dir, "accounts.db"), "PRAGMA journal_mode = DELETE"], { encoding: "utf8" }).stderr;
    expect(toRollback()).toMatch(/locked/);
    await expect(openAccountFile(dir)).rejects.toMatchObject({
      code: "PAGE_STORE",
      message: `The folder ${dir} is in use by another page server`,
      hint: expect.stringContaining("another `dir`"),
    });
    expect(toRollback()).toMatch(/locked/);
    first.close();
    await open(dir);
  });

  it("says what is wrong with a file that is no database, somebody else's, or from a newer version, and changes none", async () => {
    const cases: [RegExp, (path: string) => void][] = [
      [
        /no SQLite database/,
        (path) => writeFileSync(path, "not a database, and longer than a header of SQLite is".repeat(9)),
      ],
      [/has not made/, (path) => new Database(path).exec("CREATE TABLE notes (x)").close()],
      [/has not made/, (path) => new Database(path).exec("CREATE TABLE notes (x); PRAGMA user_version = 1").close()],
      [
        /have version 99, this package knows versions up to 1/,
        (path) => {
          const database = new Database(path);
          createAccountTables(database, path);
          database.pragma("user_version = 99");
          database.close();
        },
      ],
    ];
    for (const [sentence, make] of cases) {
      const dir = tempDir();
      const path = join(dir, "accounts.db");
      make(path);
      await expect(openAccountFile(dir)).rejects.toMatchObject({
        code: "PAGE_STORE",
        message: expect.stringMatching(sentence),
        hint: expect.any(String),
      });
      // It was let go of, and so was the folder.
      const again = spawnSync("sqlite3", [path, "PRAGMA user_version; BEGIN EXCLUSIVE"], { encoding: "utf8" });
      expect(again.stderr).not.toMatch(/locked/);
      rmSync(path);
      await open(dir);
    }
  });

  it("has its errors told as those of the page server's own files", async () => {
    const { database } = await open(tempDir());
    database.pragma("max_page_count = 1");
    const fill = () => {
      for (let n = 0; ; n += 1) database.prepare("INSERT INTO organisations VALUES (?, 1)").run(`${n}`.repeat(500));
    };
    let thrown: unknown;
    try {
      fill();
    } catch (error) {
      thrown = mapAccountsError(error, "The accounts failed");
    }
    expect(thrown).toMatchObject({
      code: "PAGE_STORE",
      message: expect.stringMatching(/^The accounts failed: the disk is full/),
      hint: expect.stringContaining("Free space"),
      retryable: true,
    });
    expect(mapAccountsError(thrown, "again")).toBe(thrown);
  });

  it("says what is wrong with the place", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, "file"), "");
    await expect(openAccountFile(join(dir, "file"))).rejects.toMatchObject({
      code: "PAGE_STORE",
      message: expect.stringContaining(join(dir, "file")),
      hint: expect.any(String),
    });
    mkdirSync(join(dir, "folder", "accounts.db"), { recursive: true });
    await expect(openAccountFile(join(dir, "folder"))).rejects.toMatchObject({ code: "PAGE_STORE" });
    expect(existsSync(join(dir, "file", "accounts.db"))).toBe(false);
  });
});
