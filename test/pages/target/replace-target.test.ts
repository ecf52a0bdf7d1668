import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { isPageOneAsWritten } from "../../../src/pages/target/page-one-as-written.js";
import { readSyncRecord } from "../../../src/pages/target/sync-record.js";
import { size } from "../../support/size.js";
import { mountSmallDisk } from "../../support/small-disk.js";
import { tempDir } from "../../support/temp-dir.js";
import { fileSource, leftovers, pullVersion } from "./pull-version.js";
import { laterVersion, makeVersion, place, versionOf } from "./versions.js";

const PAGE_SIZES = [512, 4096, 65_536, 1024, 2048, 8192, 16_384, 32_768].slice(0, size({ test: 3, ci: 8 }));

describe("replacing a local file", () => {
  it.each(PAGE_SIZES)(
    "puts a new file of pages of %i bytes in its place, byte for byte the server's",
    async (pageSize) => {
      const [from = "", to = ""] = place("server.db", "local.db");
      makeVersion(from, 1, { pageSize, wal: pageSize < 4096 });
      const { synced } = await pullVersion({ from, to, generation: 7, check: true });
      expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
      expect(synced).toMatchObject({
        database: "db",
        generation: 7,
        pageSize,
        pageCount: statSync(to).size / pageSize,
      });
      expect((await readSyncRecord(to)).record.synced).toEqual(synced);
      expect(leftovers(to)).toEqual([]);
      expect(versionOf(to)).toBe(1);
      expect((await pullVersion({ from, to, generation: 7 })).recognised).toBe(true);
    },
  );

  it.each(PAGE_SIZES)(
    "writes a version with pages of %i bytes over one with others, larger or smaller",
    async (pageSize) => {
      const [from = "", to = ""] = place("server.db", "local.db");
      makeVersion(from, 1, { pageSize, rows: 50 });
      for (const wal of [false, true]) {
        makeVersion(`${to}${wal}`, 0, { pageSize: pageSize === 4096 ? 512 : 4096, rows: 400, wal });
        await pullVersion({ from, to: `${to}${wal}`, generation: 1, check: true });
        expect(versionOf(`${to}${wal}`)).toBe(1);
        expect(statSync(`${to}${wal}`).size).toBe(statSync(from).size);
        expect(readFileSync(`${to}${wal}`)[18]).toBe(wal ? 2 : 1);
        expect(await pullVersion({ from, to: `${to}${wal}`, generation: 1 })).toMatchObject({
          put: 0,
          recognised: true,
        });
      }
    },
  );

  it.each([
    { local: false, server: false },
    { local: false, server: true },
    { local: true, server: false },
    { local: true, server: true },
  ])(
    "changes nothing but counters of page 1, and keeps the file's journal mode (WAL: $local, server: $server)",
    async ({ local, server }) => {
      const [first = "", from = "", to = ""] = place("first.db", "server.db", "local.db");
      makeVersion(first, 1, { wal: server, rows: 300 });
      makeVersion(to, 0, { wal: local, rows: 1000, autoVacuum: "full" });
      const { synced } = await pullVersion({ from: first, to, generation: 1 });
      const [expected, found] = [fileSource(first), fileSource(to)];
      expect(found.pageCount).toBe(expected.pageCount);
      expect(synced && (await isPageOneAsWritten(synced, found.read(1, 1)))).toBe(true);
      const rest = found.pageCount - 1;
      expect(Buffer.compare(expected.read(2, rest), found.read(2, rest))).toBe(0);
      const journal = new Database(to);
      expect(journal.pragma("journal_mode", { simple: true })).toBe(local ? "wal" : "delete");
      journal.close();
      expected.close();
      found.close();

      // Unchanged since, it is the server's version, page 1 included: only what a later version changes is put.
      laterVersion(first, from, 2);
      const before = fileSource(first);
      const again = await pullVersion({ from, to, generation: 2 });
      expect(again.recognised).toBe(true);
      expect(again.put).toBeLessThan(before.pageCount);
      expect(versionOf(to)).toBe(2);
      expect(again.synced?.fingerprint).not.toEqual(synced?.fingerprint);
      before.close();
      expect(leftovers(to)).toEqual([]);
    },
  );

  it("takes page 1 from what it remembers where the server's is the same and the local one is not", async () => {
    const [first = "", from = "", to = ""] = place("first.db", "server.db", "local.db");
    makeVersion(first, 1, { wal: true });
    makeVersion(to, 0);
    await pullVersion({ from: first, to, generation: 1 });
    // In WAL mode page 1 often stays the same from one commit to the next: here a body changes, and nothing else.
    const bytes = readFileSync(first);
    bytes.fill(0xab, bytes.length - 100);
    writeFileSync(from, bytes);
    expect(await pullVersion({ from, to, generation: 2 })).toMatchObject({ put: 1, recognised: true });
    expect((await readSyncRecord(to)).record.synced?.pageOneHeader).toEqual(new Uint8Array(bytes.subarray(0, 100)));
  });

  it("notices a change after a pull, though only page 1's neighbours changed", async () => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1);
    makeVersion(to, 0, { wal: true });
    await pullVersion({ from, to, generation: 1 });
    const database = new Database(to);
    database.exec("UPDATE item SET version = 9 WHERE id = 77");
    database.close();
    expect((await pullVersion({ from, to, generation: 1 })).recognised).toBe(false);
  });

  it("leaves a file alone that somebody wrote to while the pull was under way", async () => {
    for (const wal of [false, true]) {
      const [from = "", to = ""] = place("server.db", "local.db");
      makeVersion(from, 1);
      makeVersion(to, 0, { wal });
      const beforeReplace = (): void => {
        const database = new Database(to);
        database.exec("UPDATE item SET version = 5");
        database.close();
      };
      await expect(pullVersion({ from, to, generation: 1, beforeReplace })).rejects.toMatchObject({
        code: "LOCAL_CHANGES",
        retryable: true,
      });
      expect(versionOf(to)).toBe(5);
      expect(leftovers(to)).toEqual([]);
      expect(existsSync(`${to}-replica.json`)).toBe(false);
      await pullVersion({ from, to, generation: 1, beforeReplace, force: true });
      expect(versionOf(to)).toBe(1);
    }
  });

  it("leaves a file alone that was copied over meanwhile with the times of before", async () => {
    const [from = "", to = "", mine = ""] = place("server.db", "local.db", "mine.db");
    makeVersion(from, 1);
    makeVersion(to, 0);
    laterVersion(to, mine, 5);
    const { atime, mtime } = statSync(to);
    utimesSync(to, atime, mtime);
    const beforeReplace = (): void => {
      writeFileSync(to, readFileSync(mine));
      utimesSync(to, atime, mtime);
    };
    await expect(pullVersion({ from, to, generation: 1, beforeReplace })).rejects.toMatchObject({
      code: "LOCAL_CHANGES",
    });
    expect(versionOf(to)).toBe(5);
  });

  it("loses nothing of what is written while a file leaves WAL mode for other pages", async () => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1, { pageSize: 8192 });
    makeVersion(to, 0, { wal: true });
    let isWritten = false;
    const afterLook = (): void => {
      const database = new Database(to, { timeout: 0 });
      try {
        database.exec("UPDATE item SET version = 5");
        isWritten = true;
      } catch {
        // Whoever is refused knows it.
      } finally {
        database.close();
      }
    };
    const error = await pullVersion({ from, to, generation: 1, afterLook }).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(versionOf(to)).toBe(isWritten ? 5 : 1);
    expect(error === null).toBe(!isWritten);
    const after = new Database(to, { readonly: true });
    expect(after.pragma("journal_mode", { simple: true })).toBe("wal");
    after.close();
  });

  it("does not take another program's change of the schema for its own commit", async () => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1);
    makeVersion(to, 0);
    const other = new Database(to);
    let looks = 0;
    const afterLook = (): void => {
      looks += 1;
      if (looks > 1) return;
      other.exec("CREATE TABLE late (id INTEGER); BEGIN IMMEDIATE");
      setTimeout(() => other.exec("COMMIT"), 100);
    };
    await expect(pullVersion({ from, to, generation: 1, afterLook })).rejects.toMatchObject({ code: "LOCAL_CHANGES" });
    other.close();
    expect(versionOf(to)).toBe(0);
    expect(existsSync(`${to}-replica.json`)).toBe(false);
  });

  it("empties a database where the server has none, and makes an empty file where there is none", async () => {
    const [from = "", to = "", other = "", fresh = ""] = place("server.db", "local.db", "wal.db", "fresh.db");
    writeFileSync(from, "");
    makeVersion(to, 0, { pageSize: 1024 });
    makeVersion(other, 0, { pageSize: 1024, wal: true });
    for (const path of [to, other, fresh]) {
      const { synced } = await pullVersion({ from, to: path, generation: 0 });
      expect(synced).toMatchObject({ pageCount: 0 });
      const database = new Database(path);
      expect(database.prepare("SELECT count(*) FROM sqlite_schema").pluck().get()).toBe(0);
      database.close();
      expect((await pullVersion({ from, to: path, generation: 0 })).recognised).toBe(true);
    }
    expect(statSync(to).size).toBe(1024);
  });

  it("refuses what is no database, or cut short, and takes its place when forced", async () => {
    const [from = "", random = "", short = ""] = place("server.db", "random.db", "short.db");
    makeVersion(from, 1, { wal: true });
    writeFileSync(random, Buffer.alloc(20_000, "no database "));
    makeVersion(short, 0);
    truncateSync(short, 8192);
    for (const to of [random, short]) {
      const before = readFileSync(to);
      await expect(pullVersion({ from, to, generation: 1 })).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
      expect(readFileSync(to).equals(before)).toBe(true);
      await pullVersion({ from, to, generation: 1, force: true });
      expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
      expect(leftovers(to)).toEqual([]);
    }
  });

  it("keeps owner and mode of what it takes the place of", async () => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1);
    writeFileSync(to, "no database");
    chmodSync(to, 0o600);
    // Nobody else's where this user may not give files away.
    const owner = process.getuid?.() === 0 ? 65_534 : statSync(to).uid;
    chownSync(to, owner, statSync(to).gid);
    await pullVersion({ from, to, generation: 1, force: true });
    expect(statSync(to)).toMatchObject({ uid: owner });
    expect(statSync(to).mode & 0o777).toBe(0o600);
    expect(statSync(`${to}-replica.json`).mode & 0o777).toBe(0o600);
  });

  it("does not put a new file beside a log of another one, which SQLite would take for its own", async () => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1);
    for (const ending of ["-wal", "-journal"]) {
      writeFileSync(`${to}${ending}`, "changes");
      await expect(pullVersion({ from, to, generation: 1 })).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
      expect(existsSync(to)).toBe(false);
      await pullVersion({ from, to, generation: 1, force: true });
      expect(versionOf(to)).toBe(1);
      expect(existsSync(`${to}${ending}`)).toBe(false);
      rmSync(to);
    }
  });

  it("follows links, and keeps what it remembers beside the real file", async () => {
    const [from = "", real = "", link = "", dangling = "", fresh = ""] = place(
      "s.db",
      "real.db",
      "link.db",
      "d.db",
      "fresh.db",
    );
    makeVersion(from, 1);
    makeVersion(real, 0);
    symlinkSync(real, link);
    symlinkSync(fresh, dangling);
    await pullVersion({ from, to: link, generation: 1 });
    await pullVersion({ from, to: dangling, generation: 1 });
    expect(versionOf(real)).toBe(1);
    expect(versionOf(fresh)).toBe(1);
    expect(existsSync(`${real}-replica.json`) && !existsSync(`${link}-replica.json`)).toBe(true);
  });

  it("says of a folder, a device and a missing folder what they are", async () => {
    const [from = ""] = place("server.db");
    makeVersion(from, 1);
    const folder = join(dirname(from), "folder");
    mkdirSync(folder);
    await expect(pullVersion({ from, to: folder, generation: 1 })).rejects.toThrow(/is a folder/);
    await expect(pullVersion({ from, to: "/dev/null", generation: 1 })).rejects.toThrow(/no ordinary file/);
    await expect(pullVersion({ from, to: join(folder, "no/x.db"), generation: 1 })).rejects.toThrow(
      /there is no folder/,
    );
    await expect(pullVersion({ from, to: join(folder, "x.db "), generation: 1 })).rejects.toThrow(/white space/);
    const loop = join(folder, "loop");
    symlinkSync(loop, loop);
    await expect(pullVersion({ from, to: loop, generation: 1 })).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
  });

  it("stops between two steps when aborted, and the file is the old one", async () => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1, { rows: 20_000 });
    makeVersion(to, 0);
    const abort = new AbortController();
    const onProgress = (): void => abort.abort(new Error("enough"));
    await expect(pullVersion({ from, to, generation: 1, onProgress, signal: abort.signal })).rejects.toThrow("enough");
    expect(versionOf(to)).toBe(0);
    expect(leftovers(to)).toEqual([]);
  });

  it.for(
    [
      { wal: false, rows: 10_000 },
      { wal: true, rows: 20_000 },
      { wal: true, rows: 10_000 },
    ].slice(0, size({ test: 2, ci: 3 })),
  )("loses nothing on a disk that is full in the middle (WAL: $wal, $rows rows)", async ({ wal, rows }, context) => {
    const disk = mountSmallDisk(10);
    if (disk === null) return context.skip("this user may not mount a disk");
    const from = makeVersion(join(tempDir(), "server.db"), 1, { rows });
    const to = makeVersion(join(disk, "local.db"), 0, { rows: 4_000, wal });
    await expect(pullVersion({ from, to, generation: 1 })).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining("disk is full"),
    });
    expect(versionOf(to)).toBe(0);
    expect(leftovers(to)).toEqual([]);
    // There is room again, for this version and for writers.
    const small = makeVersion(join(tempDir(), "small.db"), 2, { rows: 100 });
    await pullVersion({ from: small, to, generation: 2 });
    expect(versionOf(to)).toBe(2);
  });

  it("says so where the file may not be written", async ({ skip }) => {
    if (process.getuid?.() === 0) return skip("root may write everything");
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1);
    makeVersion(to, 0);
    chmodSync(to, 0o400);
    await expect(pullVersion({ from, to, generation: 1 })).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    expect(versionOf(to)).toBe(0);
  });
});
