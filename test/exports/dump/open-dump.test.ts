import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { DumpReader } from "../../../src/exports/dump/dump-reader.js";
import { openDump } from "../../../src/exports/dump/open-dump.js";
import { DUMP_START, type DumpPosition } from "../../../src/exports/formats/dump-position.js";
import { atEnd } from "../../support/at-end.js";
import { buildOnce } from "../../support/build-once.js";
import { expectProcessEnds } from "../../support/open-handles.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { dumpBytes } from "../formats/dump-fixture.js";
import { databaseOf } from "./dump-fixture.js";

const request = { format: "sql", selection: { tables: "all" } } as const;
const MIB = 1024 * 1024;

async function opened(file: string, entry?: string): Promise<DumpReader> {
  const options = entry === undefined ? {} : { entry };
  const dump = await openDump({ file, kind: "snapshot", request }, undefined, options);
  atEnd(() => dump.close());
  return dump;
}

async function bytesFrom(dump: DumpReader, from: DumpPosition): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const { bytes } of dump.read(from)) chunks.push(Buffer.from(bytes));
  return Buffer.concat(chunks);
}

describe("openDump", () => {
  it.each(["sql", "csv", "json", "ndjson"] as const)("gives in %s the bytes that the format makes", async (format) => {
    const file = databaseOf(3);
    const selection = { table: "filler" };
    const dump = await openDump({ file, kind: "snapshot", request: { format, selection } });
    atEnd(() => dump.close());
    expect(dump.tables).toEqual(["filler"]);
    expect(dump.fingerprint).toContain("sqlite/");
    const database = new Database(file, { readonly: true });
    expect((await bytesFrom(dump, DUMP_START)).equals(dumpBytes(database, format, selection))).toBe(true);
    database.close();
  });

  it("goes on from the end of every part, and says where they are", async () => {
    const dump = await opened(databaseOf(4));
    const whole = await bytesFrom(dump, DUMP_START);
    const ends: { at: number; next: DumpPosition | null }[] = [];
    let at = 0;
    let rows = 0;
    for await (const { bytes, end } of dump.read(DUMP_START)) {
      at += bytes.length;
      rows += end?.rows ?? 0;
      if (end !== null) ends.push({ at, next: end.next });
    }
    expect(rows).toBe(8_002);
    expect(ends.length).toBeGreaterThan(3);
    expect(ends.at(-1)).toEqual({ at: whole.length, next: null });
    for (const { at: begin, next } of ends.slice(0, -1)) {
      expect((await bytesFrom(dump, next as DumpPosition)).equals(whole.subarray(begin))).toBe(true);
    }
  });

  it("cuts values that are longer than a piece, and loses nothing of them", async () => {
    const file = join(tempDir(), "long.db");
    const database = new Database(file);
    database.exec("CREATE TABLE t(a, b); INSERT INTO t VALUES(randomblob(7000000), hex(randomblob(2000000))), (1, 2)");
    const dump = await opened(file);
    for await (const { bytes } of dump.read(DUMP_START)) expect(bytes.length).toBeLessThanOrEqual(MIB);
    expect((await bytesFrom(dump, DUMP_START)).equals(dumpBytes(database, "sql"))).toBe(true);
    database.close();
  });

  it("makes a little ahead of its reader, and no more", async () => {
    const entry = await buildOnce("test/exports/dump/telling-worker.ts");
    const told: number[] = [];
    const dump = await openDump({ file: databaseOf(20), kind: "snapshot", request }, undefined, {
      entry,
      onEvent: (value) => told.push(value as number),
    });
    atEnd(() => dump.close());
    let read = 0;
    for await (const { bytes } of dump.read(DUMP_START)) {
      read += bytes.length;
      if (read > 8 * MIB) break;
      await waitFor(() => (told.at(-1) ?? 0) > read);
    }
    const made = told.at(-1) ?? 0;
    expect(made - read).toBeLessThanOrEqual(3 * MIB);
    // It has stopped: nothing is made any more, and the next reader begins where it says.
    const before = told.length;
    const next = dump.read(DUMP_START)[Symbol.asyncIterator]();
    expect((await next.next()).value?.bytes.length).toBeGreaterThan(0);
    await next.return?.();
    expect(told.length - before).toBeLessThanOrEqual(5);
  });

  it("is read once at a time", async () => {
    const dump = await opened(databaseOf(1));
    const first = dump.read(DUMP_START)[Symbol.asyncIterator]();
    await first.next();
    await expect(dump.read(DUMP_START)[Symbol.asyncIterator]().next()).rejects.toThrow(TypeError);
    await first.return?.();
    expect((await bytesFrom(dump, DUMP_START)).length).toBeGreaterThan(MIB);
  });

  it("stops at once where it is cut short, and can be read again", async () => {
    const dump = await opened(databaseOf(20));
    const reason = new Error("enough");
    const abort = new AbortController();
    let abortedAt = 0;
    const reading = (async () => {
      for await (const piece of dump.read(DUMP_START, abort.signal)) {
        if (piece.bytes.length > 0 && abortedAt === 0) {
          abortedAt = performance.now();
          abort.abort(reason);
        }
      }
    })();
    await expect(reading).rejects.toBe(reason);
    expect(performance.now() - abortedAt).toBeLessThan(200);
    const begun = await dump.read(DUMP_START)[Symbol.asyncIterator]().next();
    expect(begun.value?.bytes.length).toBeGreaterThan(0);
    await expect(openDump({ file: databaseOf(1), kind: "snapshot", request }, AbortSignal.abort(reason))).rejects.toBe(
      reason,
    );
  });

  it("does not block whoever reads", async () => {
    const dump = await opened(databaseOf(20));
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }, 1);
    await bytesFrom(dump, DUMP_START);
    clearInterval(timer);
    // Making all of it takes several times as long.
    expect(longest).toBeLessThan(150);
  });

  it("rejects where its thread dies, while it is read and ever after", async () => {
    const dump = await opened(databaseOf(20), await buildOnce("test/exports/dump/dying-worker.ts"));
    let pieces = 0;
    const reading = (async () => {
      for await (const _ of dump.read(DUMP_START)) pieces += 1;
    })();
    await expect(reading).rejects.toMatchObject({ code: "WORKER_FAILED" });
    expect(pieces).toBeGreaterThan(0);
    await expect(bytesFrom(dump, DUMP_START)).rejects.toMatchObject({ code: "WORKER_FAILED" });
    await dump.close();
  });

  it("is closed once, however often it is asked, and cannot be read then", async () => {
    const dump = await opened(databaseOf(5));
    const reading = dump.read(DUMP_START)[Symbol.asyncIterator]();
    await reading.next();
    await Promise.all([dump.close(), dump.close()]);
    await dump.close();
    await expect(bytesFrom(dump, DUMP_START)).rejects.toMatchObject({ code: "STOPPED" });
  });

  it.each([
    ["a table that is missing", { selection: { table: "nowhere" } }, "TABLE_MISSING"],
    ["several tables as CSV", { format: "csv" }, "INVALID_CONFIGURATION"],
  ] as const)("refuses %s", async (_, wrong, code) => {
    const opening = openDump({ file: databaseOf(1), kind: "snapshot", request: { ...request, ...wrong } });
    await expect(opening).rejects.toMatchObject({ code });
  });

  it("refuses a file that is none, and a live dump that would hold up writers", async () => {
    const file = join(tempDir(), "nowhere.db");
    for (const kind of ["snapshot", "live"] as const) {
      await expect(openDump({ file, kind, request })).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    }
    const error = await openDump({ file: databaseOf(1, "delete"), kind: "live", request }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "LOCAL_DATABASE", hint: expect.stringContaining("WAL") });
  });

  it("leaves nothing open: the process ends by itself", async () => {
    for (const how of ["whole", "left", "aborted", "unread", "snapshot", "stopped"]) {
      await expectProcessEnds("test/exports/dump/ending-child.ts", { args: [databaseOf(5), how] });
    }
  }, 60_000);
});
