import { describe, expect, it } from "vitest";
import type { PageStore } from "../../../src/pages/store/page-store.js";
import {
  beginPush,
  changedFile,
  combinedOf,
  contentOf,
  expectBytes,
  hashOf,
  pagesOf,
  push,
  sendPages,
  sqliteFile,
  storedContent,
} from "./store-fixture.js";

/** What every page store does. @param create an empty one that is open, closed by whoever made it */
export function registerPageStoreTests(create: () => Promise<PageStore>): void {
  describe("a page store: versions", () => {
    it("has generation 0 without pages where nothing was pushed", async () => {
      const store = await create();
      const version = await store.read("db1");
      expect(version).toMatchObject({ generation: 0, pageSize: 0, pageCount: 0, rootHash: null });
      await version.close();
      expect(await store.bytes("db1")).toBe(0);
      expect(await store.file("db1")).toBeNull();
      expect(await store.ids()).toEqual([]);
    });

    it.each([512, 1024, 4096, 65_536])("gives back a pushed database with pages of %i bytes", async (pageSize) => {
      const store = await create();
      const bytes = sqliteFile({ pageSize });
      const pages = pagesOf(bytes, pageSize);
      const committed = await push(store, "db1", bytes, { unit: pageSize });
      expect(committed).toMatchObject({ generation: 1, sent: pages.length });
      const version = await store.read("db1");
      expect(version).toMatchObject({ generation: 1, pageSize, pageCount: pages.length });
      expect(version.rootHash).toEqual(committed.rootHash);
      expect(committed.rootHash).toEqual(combinedOf(pages));
      expectBytes(await contentOf(version), bytes);
      expect(await version.hashes(2, 1)).toEqual(hashOf(pages[1] ?? new Uint8Array(0)));
      expect(await version.combined(1, 2)).toEqual(combinedOf(pages.slice(0, 2)));
      await expect(version.read(pages.length, 2)).rejects.toThrow(RangeError);
      await version.close();
      expect(await store.bytes("db1")).toBe(bytes.length);
      expect(await store.ids()).toEqual(["db1"]);
    });

    it("reads in pages of another size than the database's own, of which the last may be shorter", async () => {
      const store = await create();
      const bytes = sqliteFile({ pageSize: 1024, rows: 37 });
      await push(store, "db1", bytes, { unit: 1024 });
      for (const unit of [512, 4096, 65_536]) {
        const pages = pagesOf(bytes, unit);
        for (const _again of [1, 2]) {
          const version = await store.read("db1", unit);
          expect(version).toMatchObject({ generation: 1, pageSize: unit, pageCount: pages.length });
          expect(version.rootHash).toEqual(combinedOf(pages));
          expectBytes(await contentOf(version), bytes);
          expect(await version.combined(1, pages.length)).toEqual(combinedOf(pages));
          await version.close();
        }
      }
    });

    it("keeps a version that is being read whatever is pushed meanwhile", async () => {
      const store = await create();
      const [first, second] = [sqliteFile({ mark: "first" }), sqliteFile({ mark: "second", rows: 500 })];
      await push(store, "db1", first);
      const version = await store.read("db1");
      await push(store, "db1", second);
      expectBytes(await contentOf(version), first);
      expect(await version.combined(1, version.pageCount)).toEqual(combinedOf(pagesOf(first, 4096)));
      await version.close();
      await expect(version.read(1, 1)).rejects.toMatchObject({ code: "STOPPED" });
      expectBytes(await storedContent(store, "db1"), second);
    });

    it("shrinks with the database, to nothing at last", async () => {
      const store = await create();
      await push(store, "db1", sqliteFile({ rows: 2000 }));
      const small = sqliteFile({ rows: 1 });
      expect(await push(store, "db1", small)).toMatchObject({ generation: 2 });
      expectBytes(await storedContent(store, "db1"), small);
      expect(await push(store, "db1", Buffer.alloc(0))).toMatchObject({ generation: 3, sent: 0 });
      const version = await store.read("db1");
      expect(version).toMatchObject({ generation: 3, pageSize: 4096, pageCount: 0 });
      await version.close();
      expect(await store.bytes("db1")).toBe(0);
    });
  });

  describe("a page store: pushes", () => {
    it("wants only the pages that differ", async () => {
      const store = await create();
      const bytes = sqliteFile({ rows: 2000 });
      await push(store, "db1", bytes);
      const changed = changedFile(bytes, "changed");
      const differing = pagesOf(changed, 4096).filter(
        (page, at) => !pagesOf(bytes, 4096)[at]?.every((b, i) => b === page[i]),
      );
      expect(differing.length).toBeGreaterThan(0);
      expect(await push(store, "db1", changed, { generation: 1 })).toMatchObject({
        generation: 2,
        sent: differing.length,
      });
      expectBytes(await storedContent(store, "db1"), changed);
    });

    it("tells ranges that are equal, that differ, and of which it knows nothing", async () => {
      const store = await create();
      const bytes = sqliteFile({ rows: 2000 });
      const pages = pagesOf(bytes, 4096);
      await push(store, "db1", bytes);
      const staging = await store.stage("db1", {
        pageSize: 4096,
        pageCount: pages.length + 9,
        generation: null,
        maxBytes: 2 ** 30,
      });
      expect(staging.stored).toMatchObject({ generation: 1, pageSize: 4096, pageCount: pages.length });
      expect(await staging.compare(3, 8, combinedOf(pages.slice(2, 8)))).toBe("equal");
      expect(await staging.compare(3, 8, combinedOf(pages.slice(2, 7)))).toBe("different");
      expect(await staging.compare(pages.length, pages.length + 1, combinedOf(pages))).toBe("different");
      expect(await staging.compare(pages.length + 1, pages.length + 9, combinedOf(pages))).toBe("unknown");
      expect(await staging.has(pages.length + 1, hashOf(pages[0] as Uint8Array))).toBe(false);
      await expect(staging.compare(1, pages.length + 10, combinedOf(pages))).rejects.toThrow(RangeError);
      await expect(staging.has(0, combinedOf(pages))).rejects.toThrow(RangeError);
      await staging.close();
    });

    it("makes no generation of a push that changes nothing, whatever it started from", async () => {
      const store = await create();
      const bytes = sqliteFile();
      const { rootHash } = await push(store, "db1", bytes);
      await push(store, "db1", changedFile(bytes, "between"));
      const back = await push(store, "db1", bytes);
      expect(back).toMatchObject({ generation: 3, rootHash });
      for (const generation of [0, 1, 3, null]) {
        expect(await push(store, "db1", bytes, { generation })).toEqual({ generation: 3, rootHash, sent: 0 });
      }
    });

    it("refuses a push that started from another generation, naming both, and keeps what is stored", async () => {
      const store = await create();
      const bytes = sqliteFile();
      await push(store, "db1", bytes);
      const second = changedFile(bytes, "second");
      await push(store, "db1", second, { generation: 1 });
      for (const generation of [0, 1, 9]) {
        await expect(push(store, "db1", changedFile(bytes, "late"), { generation })).rejects.toMatchObject({
          code: "GENERATION_CONFLICT",
          message: expect.stringMatching(
            generation === 0 ? /no generation.*generation 2/ : RegExp(`${generation}.* 2`),
          ),
          hint: expect.stringContaining("--force"),
        });
      }
      expectBytes(await storedContent(store, "db1"), second);
    });

    it("lets the first of two pushes win that overlap", async () => {
      const store = await create();
      const [one, other] = [sqliteFile({ mark: "one" }), sqliteFile({ mark: "other" })];
      const first = await beginPush(store, "db1", one);
      const second = await beginPush(store, "db1", other);
      // By turns, so that one would find what the other has sent.
      const pages = [pagesOf(one, 4096), pagesOf(other, 4096)] as const;
      for (let at = 0; at < pages[0].length; at += 1) {
        await first.put(at + 1, pages[0][at] as Uint8Array);
        await second.put(at + 1, pages[1][at] as Uint8Array);
      }
      expect(await second.commit()).toMatchObject({ generation: 1 });
      await expect(first.commit()).rejects.toMatchObject({ code: "GENERATION_CONFLICT" });
      await first.close();
      await second.close();
      expectBytes(await storedContent(store, "db1"), other);
    });

    it("keeps what was stored, and what was sent, where a push breaks off", async () => {
      const store = await create();
      const bytes = sqliteFile({ mark: "old" });
      await push(store, "db1", bytes);
      const next = sqliteFile({ mark: "next", rows: 3000 });
      const broken = await beginPush(store, "db1", next);
      expect(await sendPages(broken, next, 4096, 100)).toBe(100);
      await broken.close();
      expectBytes(await storedContent(store, "db1"), bytes);
      const rest = pagesOf(next, 4096).length - 100;
      expect(await push(store, "db1", next)).toMatchObject({ generation: 2, sent: rest });
      expectBytes(await storedContent(store, "db1"), next);
    });

    it("finds ranges equal that are stored in part and were sent in part", async () => {
      const store = await create();
      const bytes = sqliteFile({ rows: 3000 });
      await push(store, "db1", bytes);
      const next = changedFile(changedFile(bytes, "next"), "again");
      const broken = await beginPush(store, "db1", next);
      await sendPages(broken, next);
      await broken.close();
      expect(await push(store, "db1", next)).toMatchObject({ generation: 2, sent: 0 });
      expectBytes(await storedContent(store, "db1"), next);
    });

    it("takes pages of a unit that is not the database's own, the last one shorter", async () => {
      const store = await create();
      const bytes = sqliteFile({ pageSize: 1024, rows: 37 });
      expect(bytes.length % 4096).not.toBe(0);
      expect(await push(store, "db1", bytes, { unit: 4096 })).toMatchObject({ generation: 1 });
      const version = await store.read("db1");
      expect(version).toMatchObject({ pageSize: 1024, pageCount: bytes.length / 1024 });
      expect(version.rootHash).toEqual(combinedOf(pagesOf(bytes, 1024)));
      expectBytes(await contentOf(version), bytes);
      await version.close();
      expect(await push(store, "db1", bytes, { unit: 4096, generation: 0 })).toMatchObject({ generation: 1, sent: 0 });
      const longer = sqliteFile({ pageSize: 1024, rows: 300 });
      expect(await push(store, "db1", longer, { unit: 4096 })).toMatchObject({ generation: 2 });
      expectBytes(await storedContent(store, "db1"), longer);
      expect(await push(store, "db1", bytes, { unit: 4096 })).toMatchObject({ generation: 3 });
      expectBytes(await storedContent(store, "db1"), bytes);
    });

    it("refuses the second of two pushes that overlap, in pages of another size, too", async () => {
      const store = await create();
      const bytes = sqliteFile({ pageSize: 1024, rows: 400 });
      await push(store, "db1", bytes, { unit: 1024 });
      const [one, other] = [changedFile(bytes, "one"), changedFile(bytes, "other")];
      const staging = await beginPush(store, "db1", one);
      await sendPages(staging, one);
      expect(await push(store, "db1", other)).toMatchObject({ generation: 2 });
      await expect(staging.commit()).rejects.toMatchObject({ code: "GENERATION_CONFLICT" });
      await staging.close();
      expectBytes(await storedContent(store, "db1"), other);
    });

    it("takes a last page that is shorter at the end alone, also where it was the end before", async () => {
      const store = await create();
      const short = sqliteFile({ pageSize: 1024, rows: 37 });
      await push(store, "db1", short, { unit: 4096 });
      const pages = pagesOf(short, 4096);
      const last = pages.at(-1) as Uint8Array;
      const staging = await store.stage("db1", {
        pageSize: 4096,
        pageCount: pages.length + 1,
        generation: null,
        maxBytes: 2 ** 30,
      });
      expect(await staging.has(pages.length, hashOf(last))).toBe(false);
      await expect(staging.put(pages.length, last)).rejects.toThrow(RangeError);
      await staging.put(pages.length + 1, last);
      await staging.close();
      const again = await store.stage("db1", {
        pageSize: 4096,
        pageCount: pages.length + 2,
        generation: null,
        maxBytes: 2 ** 30,
      });
      expect(await again.has(pages.length + 1, hashOf(last))).toBe(false);
      await again.close();
    });

    it("refuses what is no SQLite database", async () => {
      const store = await create();
      const bytes = sqliteFile();
      await push(store, "db1", bytes);
      const odd = Buffer.from(bytes);
      odd.writeUInt16BE(1000, 16);
      const cut = bytes.subarray(0, bytes.length - 4096);
      const uneven = Buffer.concat([bytes, Buffer.alloc(100)]);
      for (const wrong of [Buffer.alloc(8192), Buffer.alloc(8192, 0xa5), odd, cut, uneven, bytes.subarray(0, 50)]) {
        await expect(push(store, "db1", wrong), wrong.subarray(0, 20).toString("hex")).rejects.toMatchObject({
          code: "NOT_A_DATABASE",
          hint: expect.stringContaining("SQLite"),
        });
      }
      expectBytes(await storedContent(store, "db1"), bytes);
      expect(await push(store, "db1", changedFile(bytes, "next"))).toMatchObject({ generation: 2 });
    });

    it("commits nothing while a page is missing", async () => {
      const store = await create();
      const bytes = sqliteFile();
      const staging = await beginPush(store, "db1", bytes);
      const [one = bytes, two = bytes] = pagesOf(bytes, 4096);
      await staging.put(1, one);
      await expect(staging.commit()).rejects.toMatchObject({
        code: "PAGE_PROTOCOL",
        message: expect.stringContaining("2"),
      });
      await staging.put(2, two);
      expect(await sendPages(staging, bytes)).toBe(pagesOf(bytes, 4096).length - 2);
      expect(await staging.commit()).toMatchObject({ generation: 1 });
      await expect(staging.put(1, one)).rejects.toMatchObject({ code: "STOPPED" });
      await staging.close();
      await staging.close();
    });

    it("refuses pages of a wrong size or number, and goes on", async () => {
      const store = await create();
      const bytes = sqliteFile();
      const staging = await beginPush(store, "db1", bytes);
      const count = pagesOf(bytes, 4096).length;
      await expect(staging.put(2, bytes.subarray(0, 4095))).rejects.toThrow(RangeError);
      await expect(staging.put(2, bytes.subarray(0, 4097))).rejects.toThrow(RangeError);
      await expect(staging.put(count, bytes.subarray(0, 0))).rejects.toThrow(RangeError);
      await expect(staging.put(0, bytes.subarray(0, 4096))).rejects.toThrow(RangeError);
      await expect(staging.put(1.5, bytes.subarray(0, 4096))).rejects.toThrow(RangeError);
      await expect(staging.put(count + 1, bytes.subarray(0, 4096))).rejects.toThrow(RangeError);
      await sendPages(staging, bytes);
      expect(await staging.commit()).toMatchObject({ generation: 1 });
      await staging.close();
    });

    it("refuses more than the quota, naming both numbers", async () => {
      const store = await create();
      const bytes = sqliteFile();
      await expect(push(store, "db1", bytes, { maxBytes: bytes.length - 1 })).rejects.toMatchObject({
        code: "QUOTA_EXCEEDED",
        message: expect.stringMatching(RegExp(`${bytes.length} .*${bytes.length - 1} `)),
      });
      expect(await push(store, "db1", bytes, { maxBytes: bytes.length })).toMatchObject({ generation: 1 });
    });
  });

  describe("a page store: removing", () => {
    it("removes a database, also while it is read and pushed", async () => {
      const store = await create();
      const bytes = sqliteFile();
      await push(store, "db1", bytes);
      await push(store, "db2", bytes);
      const version = await store.read("db1");
      const staging = await beginPush(store, "db1", changedFile(bytes, "next"));
      await staging.put(1, bytes.subarray(0, 4096));
      await store.remove("db1");
      const gone = { code: "UNKNOWN_DATABASE" };
      await expect(version.read(1, 1)).rejects.toMatchObject(gone);
      await expect(version.combined(1, 1)).rejects.toMatchObject(gone);
      await expect(staging.put(1, bytes.subarray(0, 4096))).rejects.toMatchObject(gone);
      await expect(staging.commit()).rejects.toMatchObject(gone);
      await version.close();
      await staging.close();
      await expect(store.read("db1")).rejects.toMatchObject(gone);
      await expect(store.bytes("db1")).rejects.toMatchObject(gone);
      await expect(push(store, "db1", bytes)).rejects.toMatchObject(gone);
      expect(await store.ids()).toEqual(["db2"]);
      expectBytes(await storedContent(store, "db2"), bytes);
    });

    it.each(["../evil", "a/b", ".", "", "a.db", "a\0b", "é", "a".repeat(200)])("knows no database %j", async (id) => {
      const store = await create();
      for (const call of [
        store.read(id),
        store.bytes(id),
        store.file(id),
        store.remove(id),
        push(store, id, sqliteFile()),
      ]) {
        await expect(call).rejects.toMatchObject({ code: "UNKNOWN_DATABASE" });
      }
    });
  });
}
