import { randomBytes } from "node:crypto";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blake3 } from "hash-wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { openPageHashes } from "../../../src/pages/hashes/open-page-hashes.js";
import { createPageHasher, type PageHasher } from "../../../src/pages/hashes/page-hasher.js";
import { createPageHashesFile } from "../../../src/pages/hashes/page-hashes-file.js";
import { atEnd } from "../../support/at-end.js";
import { mountSmallDisk } from "../../support/small-disk.js";
import { tempDir } from "../../support/temp-dir.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

let hasher: PageHasher;
beforeAll(async () => {
  hasher = await createPageHasher();
});

describe("createPageHasher", () => {
  it("hashes as BLAKE3's own test vectors say", () => {
    // https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json
    const input = (length: number) => Buffer.from(Array.from({ length }, (_, at) => at % 251));
    expect(hex(hasher.hash(input(0)))).toBe("af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    expect(hex(hasher.hash(input(1)))).toBe("2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213");
    expect(hex(hasher.hash(input(1024)))).toBe("42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7");
  });

  it("hashes pages that stand one after the other, the last one shorter", () => {
    const pages = randomBytes(2_500);
    const expected = [pages.subarray(0, 1000), pages.subarray(1000, 2000), pages.subarray(2000)].map((page) =>
      hex(hasher.hash(page)),
    );
    expect(hex(hasher.hashes(pages, 1000))).toBe(expected.join(""));
  });

  it("gives hashes that stay what they are", () => {
    const first = hasher.hash(Buffer.from("first"));
    const before = hex(first);
    hasher.hash(Buffer.from("second"));
    expect(hex(first)).toBe(before);
  });
});

describe("a file of page hashes", () => {
  it.each([0, 100])("gives back what was appended in pieces of any size, from byte %d on", async (offset) => {
    const path = join(tempDir(), "hashes");
    const header = randomBytes(200);
    if (offset > 0) writeFileSync(path, header);
    const all = randomBytes(32 * 10_000);
    const file = await createPageHashesFile(path, { offset });
    const counts = [1, 7, 1_000, 2_047, 2_048, 2_049, 1, 2_000];
    for (let at = 0, turn = 0; at < all.length; turn += 1) {
      const count = counts[turn % counts.length] as number;
      await file.append(all.subarray(at, at + 32 * count));
      at += 32 * count;
    }
    const hashes = await file.finish();
    atEnd(() => hashes.close());
    await file.close();
    expect(hashes.pageCount).toBe(10_000);
    expect(readFileSync(path).equals(Buffer.concat([header.subarray(0, offset), all]))).toBe(true);
    expect(statSync(path).mode & 0o077 & (offset === 0 ? 0o777 : 0)).toBe(0);
    expect(Buffer.from(await hashes.read(1, 10_000)).equals(all)).toBe(true);
    expect(hex(await hashes.read(4_000, 1))).toBe(all.toString("hex", 32 * 3_999, 32 * 4_000));
    expect((await hashes.read(4_000, 0)).length).toBe(0);
    for (const [start, end] of [
      [1, 10_000],
      [1, 1],
      [17, 9_000],
      [1, 8_192],
      [1, 8_193],
      [5, 4],
    ] as const) {
      expect(hex(await hashes.combined(start, end))).toBe(await blake3(all.subarray(32 * (start - 1), 32 * end)));
    }
  });

  it("answers several at once, in any order", async () => {
    const path = join(tempDir(), "hashes");
    const all = randomBytes(32 * 20_000);
    writeFileSync(path, all);
    const hashes = await openPageHashes(path, { pageCount: 20_000 });
    const before = await Promise.all([
      hashes.combined(1, 20_000),
      hashes.combined(2, 20_000),
      hashes.read(3, 1),
      hashes.combined(1, 20_000),
    ]);
    expect(hex(before[0])).toBe(await blake3(all));
    expect(hex(before[1])).toBe(await blake3(all.subarray(32)));
    expect(hex(before[3])).toBe(hex(before[0]));
    const ranges = Array.from({ length: 200 }, (_, at) => {
      const start = 1 + ((at * 7_919) % 17_000);
      return [start, start + ((at * 31) % 2_200)] as const;
    });
    const found = await Promise.all(ranges.map(([start, end]) => hashes.combined(start, end)));
    for (const [at, [start, end]] of ranges.entries()) {
      expect(hex(found[at] ?? all)).toBe(await blake3(all.subarray(32 * (start - 1), 32 * end)));
      expect(hex(await hashes.read(start, end - start))).toBe(all.toString("hex", 32 * (start - 1), 32 * (end - 1)));
    }
    await hashes.close();
    await hashes.close();
  });

  it("lets the event loop go on while millions of pages are combined", async () => {
    const path = join(tempDir(), "hashes");
    const all = Buffer.alloc(32 * 262_144, 3);
    writeFileSync(path, all);
    const hashes = await openPageHashes(path, { pageCount: 262_144 });
    await hashes.combined(1, 262_144);
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 0);
    const combined = await hashes.combined(1, 262_144);
    clearInterval(counting);
    expect(hex(combined)).toBe(await blake3(all));
    expect(turns).toBeGreaterThan(3);
    await hashes.close();
  });

  it("refuses a file that is not as long as it has to be, and says so", async () => {
    const path = join(tempDir(), "hashes");
    writeFileSync(path, randomBytes(32 * 10));
    for (const place of [{ pageCount: 11 }, { pageCount: 9 }, { pageCount: 10, offset: 1 }]) {
      await expect(openPageHashes(path, place)).rejects.toMatchObject({
        code: "PAGE_STORE",
        message: expect.stringMatching(/has 320 bytes where it should have \d+ for \d+ pages/),
      });
    }
    const hashes = await openPageHashes(path, { pageCount: 10 });
    truncateSync(path, 300);
    await expect(hashes.combined(1, 10)).rejects.toMatchObject({
      code: "PAGE_STORE",
      message: expect.stringContaining("has 300 bytes"),
    });
    await expect(hashes.read(10, 1)).rejects.toMatchObject({ code: "PAGE_STORE" });
    await hashes.close();
  });

  it("refuses pages that it does not have", async () => {
    const path = join(tempDir(), "hashes");
    writeFileSync(path, randomBytes(32 * 10));
    const hashes = await openPageHashes(path, { pageCount: 10 });
    for (const [start, count] of [
      [0, 1],
      [1, 11],
      [11, 1],
      [1.5, 1],
      [1, -1],
      [Number.NaN, 1],
    ] as const) {
      await expect(hashes.read(start, count)).rejects.toThrow(RangeError);
      await expect(hashes.combined(start, start + count - 1)).rejects.toThrow(RangeError);
    }
    await hashes.close();
  });

  it("says what is wrong with its file, with the code that it is given", async () => {
    const path = join(tempDir(), "missing", "hashes");
    await expect(openPageHashes(path, { pageCount: 0 })).rejects.toMatchObject({
      code: "PAGE_STORE",
      message: expect.stringContaining(path),
    });
    await expect(createPageHashesFile(path, { code: "LOCAL_DATABASE" })).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
    });
    const file = await createPageHashesFile(join(tempDir(), "hashes"));
    await expect(file.append(new Uint8Array(33))).rejects.toThrow(RangeError);
    await file.close();
    await file.close();
  });

  it("says that the disk is full", async ({ skip }) => {
    const disk = mountSmallDisk(1);
    if (disk === null) return skip("This user may not mount a disk");
    const file = await createPageHashesFile(join(disk, "hashes"));
    const filling = file.append(new Uint8Array(32 * 50_000));
    await expect(filling).rejects.toMatchObject({
      code: "PAGE_STORE",
      message: expect.stringContaining("the disk is full"),
    });
    await file.close();
  });
});
