import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createPageHasher, type PageHasher } from "../../../src/pages/hashes/page-hasher.js";
import { hashPageSource } from "../../../src/pages/source/hash-page-source.js";
import { openPageSource } from "../../../src/pages/source/open-page-source.js";
import { readFully, readPages } from "../../../src/pages/source/read-pages.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { openDatabase } from "./source-fixture.js";

let hasher: PageHasher;
beforeAll(async () => {
  hasher = await createPageHasher();
});

/** A moment of a database that nobody else has open. */
async function sourceOf(megabytes: number) {
  const { path, database } = openDatabase({ mode: "delete", megabytes });
  database.close();
  const workDir = tempDir();
  const source = await openPageSource(path, { workDir });
  atEnd(() => source.close());
  return { path, workDir, source };
}

describe("hashPageSource", () => {
  it("hashes each page, and tells how far it is", async () => {
    const { path, workDir, source } = await sourceOf(5);
    const told: number[] = [];
    const hashes = await hashPageSource(source, {
      path: join(workDir, "hashes"),
      hasher,
      onProgress: ({ pagesDone, pagesTotal }) => told.push(pagesDone / pagesTotal),
    });
    atEnd(() => hashes.close());
    const bytes = readFileSync(path);
    expect(hashes.pageCount).toBe(bytes.length / 4096);
    const found = await hashes.read(1, hashes.pageCount);
    expect(Buffer.from(found).equals(hasher.hashes(bytes, 4096))).toBe(true);
    expect(told.length).toBeGreaterThan(2);
    expect(told.at(-1)).toBe(1);
    expect([...told].sort((a, b) => a - b)).toEqual(told);
  });

  it("hashes a database without pages", async () => {
    const workDir = tempDir();
    const path = join(workDir, "empty.db");
    closeSync(openSync(path, "w"));
    const source = await openPageSource(path, { workDir });
    const hashes = await hashPageSource(source, { path: join(workDir, "hashes"), hasher });
    expect(hashes.pageCount).toBe(0);
    expect(await hashes.combined(1, 0)).toEqual(hasher.hash(new Uint8Array()));
    await hashes.close();
    source.close();
    expect(readdirSync(workDir).sort()).toEqual(["empty.db", "hashes"]);
  });

  it("ends when it is told to", async () => {
    const { workDir, source } = await sourceOf(5);
    const abort = new AbortController();
    const stopped = new Error("stopped");
    let steps = 0;
    const hashing = hashPageSource(source, {
      path: join(workDir, "hashes"),
      hasher,
      signal: abort.signal,
      onProgress: () => {
        steps += 1;
        abort.abort(stopped);
      },
    });
    await expect(hashing).rejects.toBe(stopped);
    expect(steps).toBe(1);
  });
});

describe("readPages", () => {
  it("reads the page whose bytes are locks as zeros, and what the file does not have", () => {
    const fd = openSync(join(tempDir(), "large"), "w+");
    atEnd(() => closeSync(fd));
    const pages = randomBytes(3 * 4096);
    writeSync(fd, pages, 0, pages.length, 2 ** 30 - 4096);
    const into = Buffer.alloc(4 * 4096, 9);
    readPages(fd, 4096, 2 ** 18, into);
    const zeros = Buffer.alloc(4096);
    expect(into.equals(Buffer.concat([pages.subarray(0, 4096), zeros, pages.subarray(2 * 4096), zeros]))).toBe(true);
    for (const page of [2 ** 18 + 1, 2 ** 18 + 2]) {
      const one = Buffer.alloc(4096, 9);
      readPages(fd, 4096, page, one);
      expect(one.equals(page === 2 ** 18 + 1 ? zeros : pages.subarray(2 * 4096))).toBe(true);
    }
    ftruncateSync(fd, 10);
    expect(readFully(fd, Buffer.alloc(100), 5)).toBe(5);
  });
});
