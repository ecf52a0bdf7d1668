import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { SyncedVersion } from "../../../src/pages/target/remembered-version.js";
import { readSyncRecord, writeSyncRecord } from "../../../src/pages/target/sync-record.js";
import { pullVersion } from "./pull-version.js";
import { laterVersion, makeVersion, place, versionOf } from "./versions.js";

/** A local file that two versions were written to, one after the other, and what was remembered of each. */
async function twoVersions(wal = false) {
  const [first = "", second = "", to = ""] = place("first.db", "second.db", "local.db");
  makeVersion(first, 1, { wal: true });
  laterVersion(first, second, 2);
  makeVersion(to, 0, { wal });
  const one = (await pullVersion({ from: first, to, generation: 1 })).synced as SyncedVersion;
  const two = (await pullVersion({ from: second, to, generation: 2 })).synced as SyncedVersion;
  const { fingerprint: _, ...written } = two;
  return { first, second, to, one, two, replacing: { ...written, over: null } };
}

function write(path: string, sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}

describe("a local file", () => {
  it.each([false, true])("is known as the new version after a crash just behind the commit (WAL: %s)", async (wal) => {
    const { second, to, one, two, replacing } = await twoVersions(wal);
    for (const synced of [one, null]) {
      await writeSyncRecord(to, { synced, pending: null, replacing });
      const again = await pullVersion({ from: second, to, generation: 2 });
      expect(again).toMatchObject({ put: 0, recognised: true });
      expect(again.synced?.rootHash).toEqual(two.rootHash);
    }
  });

  it("is known as the old version after a crash just before the commit", async () => {
    const { first, second, to, replacing } = await twoVersions();
    const { synced } = await pullVersion({ from: first, to, generation: 3 });
    await writeSyncRecord(to, { synced, pending: null, replacing });
    expect(await pullVersion({ from: first, to, generation: 3 })).toMatchObject({ put: 0, recognised: true });
    expect((await pullVersion({ from: second, to, generation: 2 })).recognised).toBe(true);
    expect(versionOf(to)).toBe(2);
  });

  it.each([
    ["a row", "UPDATE item SET version = 3 WHERE id = 5"],
    ["the schema", "CREATE TABLE more (id INTEGER)"],
    ["page 1 alone", "PRAGMA user_version = 5"],
  ])("is not known after a crash where somebody changed %s since", async (_, sql) => {
    const { second, to, one, replacing } = await twoVersions();
    await writeSyncRecord(to, { synced: one, pending: null, replacing });
    write(to, sql);
    expect((await pullVersion({ from: second, to, generation: 2 })).recognised).toBe(false);
  });

  it.each([
    ["was put in WAL mode", "PRAGMA journal_mode = WAL"],
    ["got a row that was there already", "UPDATE item SET version = version"],
  ])("is known where it %s after a pull: nothing in it is another", async (_, sql) => {
    const { first, second, to } = await twoVersions();
    await pullVersion({ from: first, to, generation: 1 });
    write(to, sql);
    expect(await pullVersion({ from: first, to, generation: 1 })).toMatchObject({ put: 0, recognised: true });
    write(to, sql);
    expect((await pullVersion({ from: second, to, generation: 2 })).recognised).toBe(true);
    expect(versionOf(to)).toBe(2);
  });

  it("is not known where what is remembered of page 1 was altered, which would be written to the next version", async () => {
    const { second, to, two } = await twoVersions();
    const pageOneHeader = new Uint8Array(two.pageOneHeader);
    pageOneHeader[27] = 77;
    await writeSyncRecord(to, { synced: { ...two, pageOneHeader }, pending: null, replacing: null });
    expect((await pullVersion({ from: second, to, generation: 2 })).recognised).toBe(false);
  });

  it("is not known, and counts as changed, where somebody wrote to page 1 before we could read it again", async () => {
    const { second, to, two } = await twoVersions();
    // What replaceTarget remembers then (`fingerprintOf`): a fingerprint that the file has not.
    write(to, "PRAGMA user_version = 5");
    await writeSyncRecord(to, { synced: { ...two, fingerprint: two.rootHash }, pending: null, replacing: null });
    expect((await pullVersion({ from: second, to, generation: 2 })).recognised).toBe(false);
  });

  it("is known though the server knows no generations", async () => {
    const { second, to } = await twoVersions();
    await pullVersion({ from: second, to, generation: null });
    expect((await readSyncRecord(to)).record.synced).toMatchObject({ database: null, generation: null });
    expect(await pullVersion({ from: second, to, generation: null })).toMatchObject({ put: 0, recognised: true });
  });
});
