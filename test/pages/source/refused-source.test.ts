import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openPageSource } from "../../../src/pages/source/open-page-source.js";
import { mountSmallDisk } from "../../support/small-disk.js";
import { tempDir } from "../../support/temp-dir.js";
import { openDatabase, type Reader, startReader } from "./source-fixture.js";

let reader: Reader;
let dir: string;
let database: Buffer;
beforeAll(async () => {
  reader = await startReader();
  dir = tempDir();
  const made = openDatabase({ mode: "delete" });
  made.database.close();
  database = readFileSync(made.path);
});

function fileOf(bytes: Uint8Array | string): string {
  const path = join(dir, `${randomBytes(6).toString("hex")}.db`);
  writeFileSync(path, bytes);
  return path;
}

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(database);
  change(bytes);
  return bytes;
}

describe("openPageSource", () => {
  it.each<readonly [what: string, bytes: () => Uint8Array | string, message: RegExp]>([
    ["random bytes", () => randomBytes(20_000), /is no SQLite database: it is in another format, or encrypted/],
    ["text", () => "CREATE TABLE t (a);\n", /is no SQLite database/],
    ["one byte", () => "S", /is no SQLite database/],
    ["zeros", () => Buffer.alloc(8192), /is no SQLite database/],
    ["another magic", () => changed((bytes) => bytes.write("SQLite format 4\0", 0)), /is no SQLite database/],
    ["a page size that cannot be", () => changed((bytes) => bytes.writeUInt16BE(1000, 16)), /is no SQLite database/],
    [
      "an encrypted database with a plain header",
      () => Buffer.concat([database.subarray(0, 100), randomBytes(database.length - 100).fill(0xff, 0, 1)]),
      /its first page is not one/,
    ],
    [
      "a database cut short between two pages",
      () => database.subarray(0, 4096 * 5),
      /is cut short: it has 20480 bytes, where \d+ pages of 4096 bytes take/,
    ],
    [
      "a database cut short within a page",
      () => database.subarray(0, database.length - 1000),
      /is cut short: it has \d+ bytes/,
    ],
    ["a database cut short within the first page", () => database.subarray(0, 1000), /is cut short: it has 1000 bytes/],
    ["the header alone", () => database.subarray(0, 100), /its first page is not one/],
  ])("refuses %s", async (_, bytes, message) => {
    const path = fileOf(bytes());
    const refusal = (await reader.ask("open", path).catch((error) => error)) as { message: string };
    expect(refusal).toMatchObject({
      code: "NOT_A_DATABASE",
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/./),
    });
    expect(refusal.message).toContain(path);
    expect(readdirSync(reader.workDir)).toEqual([]);
  });

  it("refuses a folder, a device, and what is not there", async () => {
    await expect(reader.ask("open", dir)).rejects.toMatchObject({
      code: "NOT_A_DATABASE",
      message: `${dir} is a folder, and no SQLite database`,
    });
    await expect(reader.ask("open", "/dev/null")).rejects.toMatchObject({
      code: "NOT_A_DATABASE",
      message: expect.stringContaining("is a device"),
    });
    const missing = join(dir, "missing.db");
    await expect(reader.ask("open", missing)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining("does not exist"),
    });
    expect(readdirSync(dir)).not.toContain("missing.db");
    const pipe = join(dir, "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(reader.ask("open", pipe)).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
  });

  it("refuses a database in WAL mode whose file was cut short", async () => {
    const { path, database: open } = openDatabase();
    open.close();
    truncateSync(path, 4096 * 4);
    await expect(reader.ask("open", path)).rejects.toMatchObject({
      code: "NOT_A_DATABASE",
      message: expect.stringContaining("is cut short"),
    });
  });

  it("follows links", async () => {
    const { path, database: open } = openDatabase();
    const link = join(dir, "link.db");
    symlinkSync(path, link);
    const { length } = execFileSync("cat", [path], { maxBuffer: 1e8 });
    expect(open.pragma("page_count", { simple: true })).toBeGreaterThan(length / 4096);
    expect(await reader.ask("open", link)).toEqual({
      pageSize: 4096,
      pageCount: open.pragma("page_count", { simple: true }),
    });
    await reader.ask("close");
    expect(readdirSync(dir).filter((name) => name.startsWith("link"))).toEqual(["link.db"]);
  });

  it("says where there is no room for a copy", async ({ skip }) => {
    const disk = mountSmallDisk(1);
    if (disk === null) return skip("This user may not mount a disk");
    const path = fileOf(Buffer.concat([database]));
    const { path: large, database: open } = openDatabase({ mode: "delete", megabytes: 3 });
    open.close();
    await expect(openPageSource(large, { workDir: disk })).rejects.toMatchObject({
      code: "DISK_LIMIT",
      message: expect.stringContaining(disk),
    });
    expect(readdirSync(disk)).toEqual([]);
    const source = await openPageSource(path, { workDir: disk });
    expect(() => source.read(0, 1)).toThrow(RangeError);
    expect(() => source.read(source.pageCount, 2)).toThrow(RangeError);
    source.close();
    expect(() => source.read(1, 1)).toThrow(TypeError);
  });

  it("says where the folder for a copy cannot be written to", async () => {
    const path = fileOf(database);
    const workDir = join(dir, "nowhere");
    await expect(openPageSource(path, { workDir })).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining(workDir),
    });
  });

  it("ends when it is told to, and leaves nothing", async () => {
    const workDir = join(dir, "work");
    mkdirSync(workDir);
    const { path, database: open } = openDatabase({ mode: "delete", megabytes: 6 });
    open.close();
    const stopped = new Error("stopped");
    await expect(openPageSource(path, { workDir, signal: AbortSignal.abort(stopped) })).rejects.toBe(stopped);
    const abort = new AbortController();
    const opening = openPageSource(path, { workDir, signal: abort.signal });
    setImmediate(() => abort.abort(stopped));
    await expect(opening).rejects.toBe(stopped);
    expect(readdirSync(workDir)).toEqual([]);
  });
});
