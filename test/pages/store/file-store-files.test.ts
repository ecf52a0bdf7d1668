import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createFilePageStore, type FilePageStoreOptions } from "../../../src/pages/store/file-page-store.js";
import type { PageStore } from "../../../src/pages/store/page-store.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import {
  beginPush,
  changedFile,
  combinedOf,
  expectBytes,
  pagesOf,
  push,
  sendPages,
  sqliteFile,
  storedContent,
} from "./store-fixture.js";

async function openStore(dir: string, options: Partial<FilePageStoreOptions> = {}): Promise<PageStore> {
  const store = createFilePageStore({
    dir,
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  await store.open();
  atEnd(() => store.close());
  return store;
}

const list = (dir: string, ...parts: string[]): string[] => {
  const path = join(dir, ...parts);
  return existsSync(path) ? readdirSync(path).sort() : [];
};

/** Makes a stored file writable and changes a byte in its middle. */
function damage(path: string, touch = true): void {
  const { atimeNs, mtimeNs } = statSync(path, { bigint: true });
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0xff, bytes.length >> 1);
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
  if (!touch) utimesSync(path, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
}

describe("the files of a page store", () => {
  it.each([512, 4096, 65_536])("is a SQLite file with pages of %i bytes, opened through its link", async (pageSize) => {
    const dir = tempDir();
    const store = await openStore(dir);
    const bytes = sqliteFile({ pageSize, rows: 300 });
    await push(store, "db1", bytes, { unit: pageSize });
    const changed = changedFile(bytes, "changed");
    await push(store, "db1", changed, { unit: pageSize });
    expect(list(dir, "databases")).toEqual(["db1", "db1.db"]);
    expect(list(dir, "databases", "db1")).toEqual(["2.db", "2.hashes"]);
    expect(await store.file("db1")).toBe(join(dir, "databases", "db1", "2.db"));
    const path = join(dir, "databases", "db1.db");
    expectBytes(readFileSync(path), changed);
    expect(statSync(path).mode & 0o777).toBe(0o400);
    const database = new Database(path, { readonly: true });
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(database.prepare("SELECT count(*) n FROM t WHERE mark = 'changed'").get()).toEqual({ n: 1 });
    database.close();
    await store.close();
    expect(list(dir, "staging", "db1")).toEqual([]);
  });

  it("can be opened where its write-ahead log is on, and goes on being what was pushed", async () => {
    const dir = tempDir();
    const store = await openStore(dir);
    const bytes = sqliteFile();
    // The journal mode: https://sqlite.org/fileformat2.html#file_format_version_numbers
    bytes.fill(2, 18, 20);
    await push(store, "db1", bytes);
    const database = new Database(join(dir, "databases", "db1.db"), { readonly: true });
    expect(database.prepare("SELECT count(*) n FROM t").get()).toEqual({ n: 200 });
    const changed = changedFile(sqliteFile(), "next");
    changed.fill(2, 18, 20);
    await push(store, "db1", changed);
    // Whoever has it open reads on; the next one sees the next version.
    expect(database.prepare("SELECT count(*) n FROM t WHERE mark = 'next'").get()).toEqual({ n: 0 });
    database.close();
    expectBytes(await storedContent(store, "db1"), changed);
    expect(await push(store, "db1", changed)).toMatchObject({ generation: 2, sent: 0 });
  });

  it("removes what readers of old versions have left, and what SQLite would take for part of the new one, and nothing else", async () => {
    const dir = tempDir();
    const store = await openStore(dir);
    const bytes = sqliteFile();
    await push(store, "db1", bytes);
    for (const name of ["1.db-wal", "1.db-shm", "notes.txt", "2.db-wal"])
      writeFileSync(join(dir, "databases/db1", name), "");
    await push(store, "db1", changedFile(bytes, "next"));
    expect(list(dir, "databases", "db1")).toEqual(["2.db", "2.hashes", "notes.txt"]);
  });

  it("finishes or undoes what a crash has left", async () => {
    const dir = tempDir();
    const folder = join(dir, "databases", "db1");
    const first = await openStore(dir);
    const bytes = sqliteFile();
    await push(first, "db1", bytes);
    await first.close();
    cpSync(folder, join(dir, "old"), { recursive: true });
    const second = await openStore(dir);
    const changed = changedFile(bytes, "next");
    await push(second, "db1", changed);
    await second.close();
    // As a crash leaves them just after the rename, and in the middle of the next push.
    cpSync(join(dir, "old"), folder, { recursive: true, preserveTimestamps: true });
    writeFileSync(join(folder, "3.hashes"), "half");
    rmSync(join(dir, "databases", "db1.db"));
    const third = await openStore(dir);
    await (await beginPush(third, "db1", bytes)).close();
    writeFileSync(join(dir, "staging", "db1", "00.tmp"), "half");
    writeFileSync(join(dir, "staging", "db1", `${"0".repeat(24)}-4096.hashes`), "half");
    await third.close();
    const fourth = await openStore(dir);
    expectBytes(await storedContent(fourth, "db1"), changed);
    expect(list(dir, "databases", "db1")).toEqual(["2.db", "2.hashes"]);
    expect(list(dir, "staging")).toEqual([]);
    expectBytes(readFileSync(join(dir, "databases", "db1.db")), changed);
  });

  it("takes the newest version that is whole", async () => {
    const dir = tempDir();
    const folder = join(dir, "databases", "db1");
    const first = await openStore(dir);
    const bytes = sqliteFile();
    await push(first, "db1", bytes);
    await first.close();
    writeFileSync(join(folder, "2.db"), bytes.subarray(0, 5000));
    const second = await openStore(dir);
    expectBytes(await storedContent(second, "db1"), bytes);
    expect(list(dir, "databases", "db1")).toEqual(["1.db", "1.hashes"]);
  });

  it.each([
    ["missing", (path: string) => rmSync(path)],
    ["cut short", (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 200))],
    ["empty", (path: string) => writeFileSync(path, "")],
    ["changed", (path: string) => damage(path)],
    [
      "of another version of this program",
      (path: string) => writeFileSync(path, Buffer.from(readFileSync(path)).fill(9, 16, 20)),
    ],
  ])("makes hashes anew that are %s", async (_what, spoil) => {
    const dir = tempDir();
    const first = await openStore(dir);
    const bytes = sqliteFile({ pageSize: 1024 });
    const { rootHash } = await push(first, "db1", bytes, { unit: 1024 });
    await first.close();
    spoil(join(dir, "databases/db1/1.hashes"));
    const second = await openStore(dir);
    const version = await second.read("db1");
    expect(version).toMatchObject({ generation: 1, pageSize: 1024, rootHash });
    expect(await version.combined(2, 9)).toEqual(combinedOf(pagesOf(bytes, 1024).slice(1, 9)));
    await version.close();
    expect(list(dir, "databases", "db1")).toEqual(["1.db", "1.hashes"]);
  });

  it("believes no hashes that are another file's", async () => {
    const dir = tempDir();
    const store = await openStore(dir);
    await push(store, "db1", sqliteFile());
    await push(store, "db2", sqliteFile({ rows: 900 }));
    cpSync(join(dir, "databases/db2/1.hashes"), join(dir, "databases/db1/1.hashes"));
    const version = await store.read("db1");
    expect(version.rootHash).toEqual(combinedOf(pagesOf(sqliteFile(), 4096)));
    await version.close();
    expectBytes(await storedContent(store, "db1"), sqliteFile());
  });

  it("takes a restored backup, whose files have other times, for what it was", async () => {
    const [dir, restored] = [tempDir(), tempDir()];
    const first = await openStore(dir);
    const bytes = sqliteFile();
    const { rootHash } = await push(first, "db1", bytes);
    await (await first.read("db1", 1024)).close();
    await first.close();
    cpSync(dir, restored, { recursive: true });
    utimesSync(join(restored, "databases/db1/1.db"), 1000, 1000);
    const second = await openStore(restored);
    const version = await second.read("db1", 1024);
    expect(version.rootHash).toEqual(combinedOf(pagesOf(bytes, 1024)));
    await version.close();
    expect(await push(second, "db1", bytes, { generation: 0 })).toMatchObject({ generation: 1, rootHash, sent: 0 });
  });

  it.each(["while the store is open", "while it is closed"])(
    "refuses a file that others changed %s, until it is pushed again",
    async (when) => {
      const dir = tempDir();
      let store = await openStore(dir);
      const bytes = sqliteFile();
      await push(store, "db1", bytes);
      await push(store, "db2", bytes);
      if (when !== "while the store is open") await store.close();
      damage(join(dir, "databases/db1/1.db"));
      if (when !== "while the store is open") store = await openStore(dir);
      for (const _again of [1, 2]) {
        await expect(store.read("db1")).rejects.toMatchObject({
          code: "PAGE_STORE",
          message: expect.stringMatching(/1\.db".*others changed it/),
          hint: expect.stringContaining("--force"),
        });
      }
      expectBytes(await storedContent(store, "db2"), bytes);
      const staging = await beginPush(store, "db1", bytes);
      expect(staging.stored).toMatchObject({ generation: 1, pageCount: 0, rootHash: null });
      expect(await sendPages(staging, bytes)).toBe(pagesOf(bytes, 4096).length);
      expect(await staging.commit()).toMatchObject({ generation: 2 });
      await staging.close();
      expectBytes(await storedContent(store, "db1"), bytes);
    },
  );

  it("refuses a file that was removed or cut short, and takes it back when it is restored", async () => {
    const dir = tempDir();
    const store = await openStore(dir);
    const bytes = sqliteFile();
    await push(store, "db1", bytes);
    const path = join(dir, "databases/db1/1.db");
    cpSync(path, join(dir, "backup"));
    rmSync(path);
    await expect(store.read("db1")).rejects.toMatchObject({ code: "PAGE_STORE" });
    await expect(store.bytes("db1")).rejects.toMatchObject({ code: "PAGE_STORE" });
    writeFileSync(path, bytes.subarray(0, 8192));
    await expect(store.read("db1")).rejects.toMatchObject({ code: "PAGE_STORE" });
    rmSync(path);
    cpSync(join(dir, "backup"), path);
    expectBytes(await storedContent(store, "db1"), bytes);
  });

  it("is stopped after close: what is read and pushed ends, what was sent stays", async () => {
    const dir = tempDir();
    const store = await openStore(dir);
    const bytes = sqliteFile();
    await push(store, "db1", bytes);
    const version = await store.read("db1");
    const staging = await beginPush(store, "db1", sqliteFile({ mark: "next" }));
    await staging.put(2, bytes.subarray(0, 4096));
    await store.close();
    const stopped = { code: "STOPPED" };
    await expect(version.read(1, 1)).rejects.toMatchObject(stopped);
    await expect(staging.put(1, bytes.subarray(0, 4096))).rejects.toMatchObject(stopped);
    await expect(store.read("db1")).rejects.toMatchObject(stopped);
    await expect(store.ids()).rejects.toMatchObject(stopped);
    await store.open();
    expectBytes(await storedContent(store, "db1"), bytes);
    expect(list(dir, "staging", "db1")).toHaveLength(2);
  });
});
