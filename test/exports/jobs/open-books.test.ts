import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openBooks } from "../../../src/exports/jobs/open-books.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

describe("openBooks", () => {
  it("is for one owner, whose locks a second one in the same process leaves alone", async () => {
    const dir = join(tempDir(), "not", "yet");
    const books = await openBooks(dir);
    atEnd(() => books.close());
    const path = join(dir, "exports.db");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    // Held for as long as it is open, by nothing but a lock on the file: without it this would go through and take the WAL away.
    const toRollback = () => spawnSync("sqlite3", [path, "PRAGMA journal_mode = DELETE"], { encoding: "utf8" }).stderr;
    expect(toRollback()).toMatch(/locked/);
    await expect(openBooks(dir)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining(dir),
    });
    expect(toRollback()).toMatch(/locked/);
  });
});
