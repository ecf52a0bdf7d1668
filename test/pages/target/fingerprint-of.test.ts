import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createPageHasher } from "../../../src/pages/hashes/page-hasher.js";
import { fingerprintOf } from "../../../src/pages/target/fingerprint-of.js";
import { stagePulledVersion } from "../../../src/pages/target/stage-version.js";
import { writeOver } from "../../../src/pages/target/write-over.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { makeVersion } from "./versions.js";

/** A target that a version was just written over, of which nothing is remembered yet. */
async function justWritten(wal: boolean) {
  const workDir = tempDir();
  const path = makeVersion(join(workDir, "local.db"), 0, { wal });
  const bytes = readFileSync(makeVersion(join(workDir, "server.db"), 1));
  const staging = stagePulledVersion({ path, workDir, unit: bytes.length, unitCount: 1, source: null });
  staging.put([{ pageNo: 1, data: bytes }]);
  const staged = await staging.finish({ rootHash: null });
  atEnd(() => staged.close());
  await writeOver({ path, staged, version: null, over: null, watch: null });
  return { path, staged };
}

async function combinedOf(path: string): Promise<Uint8Array> {
  const hasher = await createPageHasher();
  return hasher.combined(hasher.hashes(readFileSync(path), 4096));
}

describe("the fingerprint of a file that was just written", () => {
  it.each([false, true])("is the combined hash of what is on disk (WAL: %s)", async (wal) => {
    const { path, staged } = await justWritten(wal);
    const fingerprint = await fingerprintOf(path, staged);
    expect(fingerprint).toEqual(await combinedOf(path));
    expect(fingerprint).not.toEqual(staged.rootHash);
  });

  it.each([
    ["page 1", "PRAGMA user_version = 5"],
    ["another page", "UPDATE item SET version = 2 WHERE id = 7"],
    ["the size", "DROP TABLE item; VACUUM"],
  ])("is one that the file has not where somebody changed %s meanwhile", async (_, sql) => {
    const { path, staged } = await justWritten(false);
    const database = new Database(path);
    database.exec(sql);
    database.close();
    expect(await fingerprintOf(path, staged)).not.toEqual(await combinedOf(path));
  });
});
