import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { createFilePageStore } from "../../../src/pages/store/file-page-store.js";
import type { PageStore } from "../../../src/pages/store/page-store.js";
import { atEnd } from "../../support/at-end.js";
import { mountSmallDisk } from "../../support/small-disk.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import {
  beginPush,
  changedFile,
  expectBytes,
  pagesOf,
  push,
  sendPages,
  sqliteFile,
  storedContent,
} from "./store-fixture.js";

const next = sqliteFile({ mark: "next", rows: 2000 });
const nextPages = pagesOf(next, 4096);

async function openStore(dir: string): Promise<PageStore> {
  const store = createFilePageStore({
    dir,
    onError: (error) => {
      throw error;
    },
  });
  await store.open();
  atEnd(() => store.close());
  return store;
}

function staged(dir: string, ending: string): string[] {
  const folder = join(dir, "staging", "db1");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

/** A push that broke off after so many pages. */
async function breakOff(store: PageStore, bytes: Uint8Array, pages: number, maxBytes = 2 ** 30): Promise<void> {
  const staging = await beginPush(store, "db1", bytes, { maxBytes });
  expect(await sendPages(staging, bytes, 4096, pages)).toBe(pages);
  await staging.close();
}

describe("pushes that broke off", () => {
  it("keep what they have sent over a restart", async () => {
    const dir = tempDir();
    const first = await openStore(dir);
    await breakOff(first, next, 50);
    await first.close();
    const second = await openStore(dir);
    expect(await push(second, "db1", next)).toMatchObject({ generation: 1, sent: nextPages.length - 50 });
    expectBytes(await storedContent(second, "db1"), next);
  });

  it("lose pages that are not on the disk as they were sent, and no others", async () => {
    const dir = tempDir();
    const first = await openStore(dir);
    await breakOff(first, next, 50);
    await first.close();
    const [path = ""] = staged(dir, ".pages");
    const bytes = readFileSync(path);
    bytes.fill(7, 4096 * 10 + 5, 4096 * 10 + 9);
    writeFileSync(path, bytes.subarray(0, 4096 * 45 + 100));
    const second = await openStore(dir);
    expect(await push(second, "db1", next)).toMatchObject({ sent: nextPages.length - 50 + 1 + 5 });
    expectBytes(await storedContent(second, "db1"), next);
  });

  it("are taken up by one push at a time", async () => {
    const store = await openStore(tempDir());
    await breakOff(store, next, 50);
    const one = await beginPush(store, "db1", next);
    const other = await beginPush(store, "db1", next);
    expect(await sendPages(one, next, 4096, 20)).toBe(20);
    expect(await sendPages(other, next, 4096, 60)).toBe(60);
    await one.close();
    await other.close();
    // Of both, though they have sent much of the same.
    expect(await push(store, "db1", next)).toMatchObject({ generation: 1, sent: nextPages.length - 70 });
    expectBytes(await storedContent(store, "db1"), next);
  });

  it("leave pages that a push with another content uses as far as they fit", async () => {
    const store = await openStore(tempDir());
    await breakOff(store, next, nextPages.length - 3);
    const other = changedFile(next, "other");
    const { sent } = await push(store, "db1", other);
    expect(sent).toBeLessThan(8);
    expectBytes(await storedContent(store, "db1"), other);
  });

  it("are swept after a commit", async () => {
    const dir = tempDir();
    const store = await openStore(dir);
    await breakOff(store, sqliteFile({ pageSize: 4096, mark: "a" }), 3);
    await push(store, "db1", sqliteFile({ pageSize: 1024 }), { unit: 1024 });
    expect(staged(dir, "")).toEqual([]);
  });

  it("are trimmed to what there is room for, the newest of them last, and not while a push has them", async () => {
    const dir = tempDir();
    const store = await openStore(dir);
    expect(await store.trimLeftovers("db1", 0)).toBe(0);
    await breakOff(store, next, 50);
    const all = await store.trimLeftovers("db1", Number.POSITIVE_INFINITY);
    expect(all).toBeGreaterThanOrEqual(50 * 4096);
    expect(await store.trimLeftovers("db1", all)).toBe(all);
    const under = await beginPush(store, "db1", next);
    expect(await store.trimLeftovers("db1", 0)).toBe(0);
    await sendPages(under, next, 4096);
    await under.commit();
    await under.close();
    expectBytes(await storedContent(store, "db1"), next);
    await breakOff(store, changedFile(next, "other"), 1);
    expect(await store.trimLeftovers("db1", 1)).toBe(0);
    expect(staged(dir, "")).toEqual([]);
  });

  it("are swept when they are old", async () => {
    const dir = tempDir();
    const first = await openStore(dir);
    await breakOff(first, next, 20);
    await first.close();
    const [path = ""] = staged(dir, ".pages");
    const almost = Date.now() / 1000 - 86_300;
    utimesSync(path, almost, almost);
    const second = await openStore(dir);
    expect(staged(dir, "")).toHaveLength(2);
    await second.close();
    utimesSync(path, almost - 200, almost - 200);
    await openStore(dir);
    expect(staged(dir, "")).toEqual([]);
  });

  it("are swept every hour, but for those that a push has taken up", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    atEnd(() => vi.useRealTimers());
    const dir = tempDir();
    const store = await openStore(dir);
    await breakOff(store, next, 20);
    const staging = await beginPush(store, "db1", next);
    const [held = ""] = staged(dir, ".pages");
    await breakOff(store, next, 10);
    expect(staged(dir, ".pages")).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(23 * 3_600_000);
    expect(staged(dir, ".pages")).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2 * 3_600_000);
    await waitFor(() => staged(dir, ".pages").length === 1);
    expect(staged(dir, ".pages")).toEqual([held]);
    expect(await sendPages(staging, next)).toBe(nextPages.length - 20);
    expect(await staging.commit()).toMatchObject({ generation: 1 });
    await staging.close();
  });

  it("take no more room than one database may", async () => {
    const dir = tempDir();
    const store = await openStore(dir);
    const one = sqliteFile({ mark: "one", rows: 2000 });
    const maxBytes = Math.max(one.length, next.length);
    // Two at once, so that each has a file of its own.
    const [first, second] = [
      await beginPush(store, "db1", one, { maxBytes }),
      await beginPush(store, "db1", next, { maxBytes }),
    ];
    await sendPages(first, one, 4096, nextPages.length - 2);
    await sendPages(second, next, 4096, nextPages.length - 2);
    await first.close();
    await second.close();
    const bytes = staged(dir, ".pages").reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(maxBytes);
  });

  it("leave nothing where nothing was sent", async () => {
    const dir = tempDir();
    const store = await openStore(dir);
    await (await beginPush(store, "db1", next)).close();
    expect(staged(dir, "")).toEqual([]);
  });
});

describe("a page store on a full disk", () => {
  it("keeps what is stored, half writes nothing, and goes on when there is room", async ({ skip }) => {
    const dir = mountSmallDisk(3);
    if (dir === null) return skip("this user may not mount a disk");
    const store = await openStore(dir);
    const old = sqliteFile({ mark: "old", rows: 4000 });
    await push(store, "db1", old);
    // Neither half of another one nor a copy with one page changed has room.
    const large = sqliteFile({ mark: "large", rows: 12_000 });
    for (const bytes of [large, Buffer.concat([changedFile(old, "new"), large]).subarray(0, old.length)]) {
      writeFileSync(join(dir, "filler"), Buffer.alloc(3 * 1024 * 1024 - Math.ceil(old.length * 1.6)));
      await expect(push(store, "db1", bytes)).rejects.toMatchObject({
        code: "PAGE_STORE",
        message: expect.stringContaining("disk"),
        hint: expect.stringMatching(/free space/i),
      });
      expectBytes(await storedContent(store, "db1"), old);
      expect(staged(dir, ".tmp")).toEqual([]);
      expect(staged(dir, ".pages")).toEqual([]);
    }
    writeFileSync(join(dir, "filler"), "");
    expect(await push(store, "db1", changedFile(old, "new"))).toMatchObject({ generation: 2 });
  });
});

describe("a page store in a folder that it may not use", () => {
  it("says so where a file has its name", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, "file"), "");
    const store = createFilePageStore({ dir: join(dir, "file") });
    await expect(store.open()).rejects.toMatchObject({ code: "PAGE_STORE", hint: expect.stringContaining("file") });
    await expect(store.read("db1")).rejects.toMatchObject({ code: "STOPPED" });
  });

  it("says so where it cannot write, before and after it was opened", async ({ skip }) => {
    const dir = mountSmallDisk(3);
    if (dir === null) return skip("this user may not mount a disk");
    const store = await openStore(dir);
    await push(store, "db1", next);
    execFileSync("mount", ["-o", "remount,ro", dir]);
    const refused = { code: "PAGE_STORE", hint: expect.stringMatching(/writable/) };
    await expect(push(store, "db1", changedFile(next, "later"))).rejects.toMatchObject(refused);
    expectBytes(await storedContent(store, "db1"), next);
    await store.close();
    await expect(createFilePageStore({ dir }).open()).rejects.toMatchObject(refused);
  });
});
