import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { openLiveDump } from "../../../src/exports/dump/open-live-dump.js";
import { takeSnapshot } from "../../../src/exports/dump/take-snapshot.js";
import { DUMP_START } from "../../../src/exports/formats/dump-position.js";
import type { Child } from "../../support/child.js";
import { realDelay } from "../../support/real-time.js";
import { inCi, size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { databaseOf, reportOf, startWriter } from "./dump-fixture.js";

/** What writers of the database may wait because of an export. */
const LONGEST_WAIT_MS = 250;

/** A writer at work, and what it may wait: what it waits alone, on a machine that has other things to do as well, is not the export's doing. */
async function writerOf(database: string, mode: "wal" | "delete"): Promise<{ writer: Child; allowedMs: number }> {
  const writer = await startWriter(database, mode);
  await realDelay(1_000);
  const { longestMs } = await reportOf(writer);
  return { writer, allowedMs: LONGEST_WAIT_MS + longestMs };
}
const request = { format: "sql", selection: { tables: "all" } } as const;

/** Whether the copy is of one moment: each transaction adds one to both. */
function expectWhole(file: string): void {
  const copy = new Database(file, { readonly: true });
  const [first, second] = copy.prepare("SELECT n FROM pair ORDER BY id").pluck().all();
  expect(first).toBeGreaterThan(0);
  expect(second).toBe(first);
  expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
  copy.close();
}

describe("a snapshot beside a writer", () => {
  it("is of one moment in WAL mode, however much is written, and holds up nobody", async () => {
    const database = databaseOf(size({ test: 24, ci: 300 }));
    const target = join(tempDir(), "copy.db");
    const { writer, allowedMs } = await writerOf(database, "wal");
    const rounds = 3;
    for (let round = 0; round < rounds; round += 1) {
      await takeSnapshot({ database, target });
      expectWhole(target);
    }
    const { commits, longestMs } = await reportOf(writer);
    expect(commits).toBeGreaterThan(rounds);
    expect(longestMs).toBeLessThan(allowedMs);
  }, 120_000);

  it("is of one moment in rollback mode, where it is small, however much is written, and holds up nobody for long", async () => {
    const database = databaseOf(8, "delete");
    const target = join(tempDir(), "copy.db");
    const { writer, allowedMs } = await writerOf(database, "delete");
    const rounds = 3;
    for (let round = 0; round < rounds; round += 1) {
      await takeSnapshot({ database, target });
      expectWhole(target);
    }
    const { commits, longestMs } = await reportOf(writer);
    expect(commits).toBeGreaterThan(rounds);
    expect(longestMs).toBeLessThan(allowedMs);
  }, 120_000);

  it.runIf(inCi)(
    "is of one moment in rollback mode, where writers rest now and then, whatever its size",
    async () => {
      const database = databaseOf(100, "delete");
      const target = join(tempDir(), "copy.db");
      const writer = await startWriter(database, "delete", 3_000);
      await reportOf(writer);
      await takeSnapshot({ database, target });
      const { longestMs } = await reportOf(writer);
      expect(longestMs).toBeLessThan(2 * LONGEST_WAIT_MS);
      writer.writeLine("end");
      await writer.exited;
      const copy = new Database(target, { readonly: true });
      expect(copy.pragma("quick_check", { simple: true })).toBe("ok");
      copy.close();
    },
    120_000,
  );

  it.runIf(inCi)(
    "is given up in rollback mode where it is large and writers never rest, who are not held up for long",
    async () => {
      const database = databaseOf(120, "delete");
      const target = join(tempDir(), "copy.db");
      const { writer, allowedMs } = await writerOf(database, "delete");
      const error = await takeSnapshot({ database, target, steadySeconds: 2 }).catch((thrown) => thrown);
      expect(error).toMatchObject({ code: "SNAPSHOT_UNSTEADY", retryable: true });
      expect(error.message).toContain(database);
      expect(error.hint).toContain("PRAGMA journal_mode = WAL");
      expect(readdirSync(join(target, ".."))).toEqual([]);
      const { commits, longestMs } = await reportOf(writer);
      expect(commits).toBeGreaterThan(20);
      expect(longestMs).toBeLessThan(allowedMs);
    },
    120_000,
  );
});

describe("a live dump beside a writer", () => {
  it.each(["wal", "delete"] as const)(
    "is of one moment in mode %s, and holds up nobody for long",
    async (mode) => {
      const database = databaseOf(mode === "wal" ? size({ test: 24, ci: 300 }) : 8, mode);
      const scratch = join(tempDir(), "not", "there", "yet");
      const { writer, allowedMs } = await writerOf(database, mode);
      const dump = await openLiveDump({ database, scratch, request });
      const chunks: Uint8Array[] = [];
      for await (const { bytes } of dump.read(DUMP_START)) chunks.push(Buffer.from(bytes));
      const { commits, longestMs } = await reportOf(writer);
      expect(commits).toBeGreaterThan(3);
      expect(longestMs).toBeLessThan(allowedMs);
      if (mode === "delete") expect(readdirSync(scratch)).toHaveLength(1);
      await dump.close();
      await dump.close();
      if (mode === "delete") expect(readdirSync(scratch)).toEqual([]);

      const restored = join(tempDir(), "restored.db");
      execFileSync("sqlite3", [restored], { input: Buffer.concat(chunks) });
      expectWhole(restored);
    },
    120_000,
  );
});
