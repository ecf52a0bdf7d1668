import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SyncRecord } from "../../../src/pages/target/remembered-version.js";
import { readSyncRecord, writeSyncRecord } from "../../../src/pages/target/sync-record.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";

const NOTHING: SyncRecord = { synced: null, pending: null, replacing: null };

function fullRecord(): SyncRecord {
  const hash = (byte: number) => new Uint8Array(32).fill(byte);
  const version = {
    database: "db",
    generation: 3,
    pageSize: 4096,
    pageCount: 9,
    rootHash: hash(1),
    pageOneHeader: new Uint8Array(100).map((_, index) => index),
    pageOneHash: hash(4),
  };
  return {
    synced: { ...version, fingerprint: hash(2) },
    pending: { database: null, rootHash: hash(3) },
    replacing: { ...version, database: null, generation: null, over: hash(5) },
  };
}

describe("the record of a file's syncs", () => {
  it("is read as it was written, readable by who may read the database", async () => {
    const path = join(tempDir(), "local.db");
    const record = fullRecord();
    await writeSyncRecord(path, record);
    expect(await readSyncRecord(path)).toEqual({ record, notice: null });
    expect(statSync(`${path}-replica.json`).mode & 0o777).toBe(0o600);
    writeFileSync(path, "");
    chmodSync(path, 0o640);
    await writeSyncRecord(path, record);
    expect(statSync(`${path}-replica.json`).mode & 0o777).toBe(0o640);
    expect(existsSync(`${path}-replica.json-new`)).toBe(false);
  });

  it("is empty where there is none, and removed where nothing is left of it", async () => {
    const path = join(tempDir(), "local.db");
    expect(await readSyncRecord(path)).toEqual({ record: NOTHING, notice: null });
    await writeSyncRecord(path, fullRecord());
    await writeSyncRecord(path, NOTHING);
    expect(existsSync(`${path}-replica.json`)).toBe(false);
    await writeSyncRecord(path, NOTHING);
  });

  it("counts as none where a newer program wrote it, and says so", async () => {
    const path = join(tempDir(), "local.db");
    await writeSyncRecord(path, fullRecord());
    const json = JSON.parse(readFileSync(`${path}-replica.json`, "utf8"));
    writeFileSync(`${path}-replica.json`, JSON.stringify({ ...json, version: 2 }));
    expect(await readSyncRecord(path)).toEqual({ record: NOTHING, notice: expect.stringMatching(/newer version/) });
  });

  it("never fails on what is in the file, and gives nothing that was not written", async () => {
    const path = join(tempDir(), "local.db");
    const record = fullRecord();
    await writeSyncRecord(path, record);
    const text = readFileSync(`${path}-replica.json`, "utf8");
    const damaged = fc.oneof(
      fc.nat(text.length - 2).map((end) => text.slice(0, end)),
      fc.json(),
      fc
        .tuple(fc.constantFrom(...Object.keys(JSON.parse(text))), fc.jsonValue())
        .map(([key, value]) => JSON.stringify({ ...JSON.parse(text), [key]: value })),
    );
    await fc.assert(
      fc.asyncProperty(damaged, async (content) => {
        writeFileSync(`${path}-replica.json`, content);
        const read = await readSyncRecord(path);
        if (read.notice !== null) expect(read.record).toEqual(NOTHING);
        else {
          const expected = record.synced?.pageOneHeader;
          expect(read.record.synced?.pageOneHeader ?? expected).toEqual(expected);
        }
      }),
      { numRuns: size({ test: 100, ci: 500, soak: 5_000 }) },
    );
  });
});
