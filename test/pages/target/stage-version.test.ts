import { existsSync, linkSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createPageHasher } from "../../../src/pages/hashes/page-hasher.js";
import type { PageSource } from "../../../src/pages/source/page-source.js";
import type { StagedVersion } from "../../../src/pages/target/finish-version.js";
import { placeVersion } from "../../../src/pages/target/place-version.js";
import type { FinishOptions } from "../../../src/pages/target/put-version.js";
import { type Staging, stagePulledVersion } from "../../../src/pages/target/stage-version.js";
import { withPageOne } from "../../../src/pages/target/with-page-one.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { fileSource } from "./pull-version.js";
import { makeVersion } from "./versions.js";

interface Begun {
  readonly unit?: number;
  readonly source?: PageSource | null;
  readonly bytes?: Buffer;
}

/** A staging of the bytes of a server's file, none of which is put yet. */
function begin(server: Buffer, { unit = 4096, source = null }: Begun = {}) {
  const workDir = tempDir();
  const path = join(workDir, "local.db");
  const staging = stagePulledVersion({ path, workDir, unit, unitCount: Math.ceil(server.length / unit), source });
  atEnd(() => staging.close());
  const page = (pageNo: number) => ({ pageNo, data: server.subarray((pageNo - 1) * unit, pageNo * unit) });
  const put = (...pageNos: readonly number[]): void => staging.put(pageNos.map(page));
  const all = Array.from({ length: Math.ceil(server.length / unit) }, (_, index) => index + 1);
  return { path, staging, page, put, all };
}

function server(kind: Parameters<typeof makeVersion>[2] = {}): Buffer {
  return readFileSync(makeVersion(join(tempDir(), "server.db"), 1, kind));
}

async function rootOf(bytes: Buffer, pageSize: number): Promise<Uint8Array> {
  const hasher = await createPageHasher();
  return hasher.combined(hasher.hashes(bytes, pageSize));
}

async function finish(staging: Staging, options: FinishOptions): Promise<StagedVersion> {
  const staged = await staging.finish(options);
  atEnd(() => staged.close());
  return staged;
}

describe("a staged version", () => {
  it("takes pages in any order, and the rest from the local moment", async () => {
    const bytes = server();
    const local = Buffer.from(bytes);
    local.fill(1, 4096, 8192);
    const file = join(tempDir(), "local.db");
    writeFileSync(file, local);
    const source = fileSource(file);
    atEnd(() => source.close());
    const { staging, put, all } = begin(bytes, { source });
    put(all.length);
    put(3, 2);
    const rootHash = await rootOf(bytes, 4096);
    const steps: string[] = [];
    const staged = await finish(staging, { rootHash, check: true, onProgress: ({ phase }) => steps.push(phase) });
    expect(readFileSync(staged.stagedPath).equals(bytes)).toBe(true);
    expect(staged).toMatchObject({ pageSize: 4096, pageCount: all.length, rootHash, notices: [] });
    expect(new Set(steps)).toEqual(new Set(["writing", "checking"]));
    await staged.close();
    await staged.close();
    expect(existsSync(staged.stagedPath)).toBe(false);
  });

  it("takes page 1 as it was received from a file that is unchanged since", async () => {
    const bytes = server();
    const file = join(tempDir(), "local.db");
    const local = Buffer.from(bytes);
    local.writeUInt32BE(77, 24);
    writeFileSync(file, local);
    const source = fileSource(file);
    atEnd(() => source.close());
    const { staging } = begin(bytes, { source: withPageOne(source, bytes.subarray(0, 100)) });
    const staged = await finish(staging, { rootHash: await rootOf(bytes, 4096) });
    expect(readFileSync(staged.stagedPath).equals(bytes)).toBe(true);
  });

  it.each([512, 8192, 65_536])(
    "puts units of a plain server together to pages of %i bytes, from the local moment too",
    async (pageSize) => {
      // Not as many pages as fill the last unit.
      let bytes = server({ pageSize });
      if (pageSize === 512 && bytes.length % 4096 === 0) bytes = server({ pageSize, rows: 201 });
      const file = join(tempDir(), "local.db");
      writeFileSync(file, bytes);
      const source = fileSource(file);
      atEnd(() => source.close());
      for (const missing of [0, 1, 2]) {
        const { staging, put, all } = begin(bytes, { source });
        put(...all.slice(0, all.length - missing).filter((pageNo) => pageNo % 3 !== 0));
        const staged = await finish(staging, { rootHash: null, check: true });
        expect(readFileSync(staged.stagedPath).equals(bytes)).toBe(true);
        expect(staged.pageSize).toBe(pageSize);
      }
    },
  );

  it("leaves out what a plain server keeps beyond the end, and says so", async () => {
    const bytes = server();
    const { staging, put, all } = begin(Buffer.concat([bytes, Buffer.alloc(8192 + 100, 7)]));
    put(...all);
    const staged = await finish(staging, { rootHash: null });
    expect(readFileSync(staged.stagedPath).equals(bytes)).toBe(true);
    expect(staged.notices).toEqual([expect.stringContaining("8292 bytes")]);
  });

  it.each([
    { what: "a number of 0", pages: [{ pageNo: 0, data: Buffer.alloc(4096) }] },
    { what: "a number beyond the last", pages: [{ pageNo: 1_000, data: Buffer.alloc(4096) }] },
    { what: "a number that is none", pages: [{ pageNo: 1.5, data: Buffer.alloc(4096) }] },
    { what: "too few bytes", pages: [{ pageNo: 1, data: Buffer.alloc(4095) }] },
    { what: "too many bytes", pages: [{ pageNo: 1, data: Buffer.alloc(4097) }] },
    { what: "a number twice", pages: [1, 1].map((pageNo) => ({ pageNo, data: Buffer.alloc(4096) })) },
  ])("refuses pages with $what", ({ pages }) => {
    const { staging } = begin(server());
    expect(() => staging.put(pages)).toThrow(expect.objectContaining({ code: "PAGE_PROTOCOL" }));
  });

  it("refuses a whole that is not what the server named, and leaves nothing", async () => {
    const bytes = server();
    const { staging, put, all, path } = begin(bytes);
    put(...all);
    const rootHash = await rootOf(Buffer.concat([bytes, bytes]), 4096);
    await expect(staging.finish({ rootHash })).rejects.toMatchObject({ code: "INTEGRITY_FAILED" });
    expect(existsSync(`${path}-replica-part`)).toBe(false);
  });

  it.each([
    { what: "a page that never came", change: (bytes: Buffer) => bytes, without: 3, message: /Page 3 of/ },
    {
      what: "a file that is no database",
      change: (bytes: Buffer) => bytes.fill(9, 0, 16),
      without: 0,
      message: /begin/,
    },
    {
      what: "fewer pages than its header says",
      change: (bytes: Buffer) => bytes.subarray(0, 40_960),
      without: 0,
      message: /header says/,
    },
    {
      what: "pages that are not whole",
      change: (bytes: Buffer) => Buffer.concat([bytes.fill(0, 28, 32), Buffer.alloc(9)]),
      without: 0,
      message: /no whole pages/,
    },
  ])("refuses $what", async ({ change, without, message }) => {
    const { staging, put, all } = begin(change(server()));
    put(...all.filter((pageNo) => pageNo !== without));
    await expect(staging.finish({ rootHash: null })).rejects.toMatchObject({
      code: "INTEGRITY_FAILED",
      message: expect.stringMatching(message),
    });
  });

  it("names what SQLite finds damaged, when asked to look", async () => {
    const bytes = server({ wal: true });
    bytes.fill(0xee, 5 * 4096, 6 * 4096);
    for (const check of [false, true]) {
      const { staging, put, all } = begin(bytes);
      put(...all);
      const finished = staging.finish({ rootHash: await rootOf(bytes, 4096), check });
      if (check)
        await expect(finished).rejects.toMatchObject({ code: "INTEGRITY_FAILED", message: /damaged: .*page/i });
      else await (await finished).close();
    }
  });

  it("leaves no log beside a database in WAL mode that it looked at, and not a byte changed", async () => {
    const bytes = server({ wal: true });
    const { staging, put, all } = begin(bytes);
    put(...all);
    const staged = await finish(staging, { rootHash: null, check: true });
    expect(readFileSync(staged.stagedPath).equals(bytes)).toBe(true);
    expect(["-wal", "-shm", "-journal"].some((ending) => existsSync(`${staged.stagedPath}${ending}`))).toBe(false);
  });

  it("begins anew where another pull was cut short, even where its file is the target by another name", async () => {
    const bytes = server();
    const first = begin(bytes);
    first.put(...first.all);
    const staged = await finish(first.staging, { rootHash: null });
    await placeVersion(first.path, staged, { isFree: true, force: false });
    linkSync(first.path, staged.stagedPath);
    const again = stagePulledVersion({ path: first.path, workDir: tempDir(), unit: 4096, unitCount: 1, source: null });
    again.put([{ pageNo: 1, data: Buffer.alloc(4096) }]);
    again.close();
    expect(readFileSync(first.path).equals(bytes)).toBe(true);
  });

  it("does not take a place that is taken by now", async () => {
    const { staging, put, all, path } = begin(server());
    put(...all);
    const staged = await finish(staging, { rootHash: null });
    writeFileSync(path, "somebody's");
    await expect(placeVersion(path, staged, { isFree: true, force: false })).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
    });
    expect(readFileSync(path, "utf8")).toBe("somebody's");
  });

  it("is not for others to read", async () => {
    const { staging, put, path } = begin(server());
    put(1);
    expect(statSync(`${path}-replica-part`).mode & 0o777).toBe(0o600);
    expect(() => new Database(`${path}-replica-part`, { readonly: true }).close()).not.toThrow();
    staging.close();
  });
});
