import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { copyBetweenWrites } from "../../../src/exports/dump/copy-between-writes.js";
import { CopyTarget } from "../../../src/exports/dump/copy-target.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { databaseOf } from "./dump-fixture.js";

/** A copy that is about to begin, of a database that another connection has locked from the start. */
function lockedCopy() {
  const path = databaseOf(0.1, "delete");
  const source = new Database(path, { readonly: true, timeout: 1 });
  const target = new CopyTarget(join(tempDir(), "copy.db"), { maxBytes: 1e9, minFreeBytes: 0 });
  const other = new Database(path);
  other.exec("BEGIN EXCLUSIVE");
  atEnd(() => {
    for (const open of [source, target, other]) open.close();
  });
  const copy = (seconds: number, onStep = () => {}) =>
    copyBetweenWrites(source, path, target, onStep, { restarts: 1, seconds });
  return { path, target, other, copy };
}

describe("copyBetweenWrites, where the database is locked before its first page", () => {
  it("waits for the lock", async () => {
    const { path, target, other, copy } = lockedCopy();
    let steps = 0;
    const copying = copy(30, () => {
      steps += 1;
      if (steps === 3) other.exec("ROLLBACK");
    });
    await copying;
    expect(steps).toBeGreaterThanOrEqual(3);
    // The first page counts what was written to its file.
    expect(readFileSync(target.path).subarray(4096).equals(readFileSync(path).subarray(4096))).toBe(true);
  });

  it("gives up when it is not let go of", async () => {
    const { path, copy } = lockedCopy();
    await expect(copy(0.2)).rejects.toMatchObject({
      code: "SNAPSHOT_UNSTEADY",
      message: expect.stringContaining(path),
    });
  });

  it("ends when it is told to", async () => {
    const { copy } = lockedCopy();
    const ended = new Error("ended");
    const ending = copy(30, () => {
      throw ended;
    });
    await expect(ending).rejects.toBe(ended);
  });
});
