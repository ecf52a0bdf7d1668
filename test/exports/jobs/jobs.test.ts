import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { ExportJob } from "../../../src/exports/export-job.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { createDatabase, dumpHash, engineOptions, openEngine, readAll, sha256 } from "./engine-fixture.js";
import { GatedStore } from "./gated-store.js";

describe("An export job", () => {
  it("completes with the dump as its artifact, and leaves nothing else", async () => {
    const engine = await openEngine(engineOptions());
    const taken = await engine.startJob({});
    expect(taken).toMatchObject({ state: "queued", format: "sql", tables: null, artifact: null, finishedAt: null });
    const job = await engine.until(taken.id, "completed");
    const bytes = await readAll(engine, job.id);
    expect(job.artifact).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
    expect(sha256(bytes)).toBe(dumpHash(engine.options.database, "sql", null));
    expect(job.progress).toEqual({ tablesDone: 2, tablesTotal: 2, rowsDone: 1_256, bytesWritten: bytes.length });
    expect(readdirSync(join(engine.options.dir, "files"))).toEqual([`${job.id}.sql`]);
    await waitFor(() => !existsSync(join(engine.options.dir, "work", job.id)));
  });

  it.each([
    ["csv", ["pages"]],
    ["json", null],
    ["ndjson", ["accounts", "pages"]],
  ] as const)("comes as %s of %j", async (format, tables) => {
    const engine = await openEngine(engineOptions());
    const job = await engine.until((await engine.startJob({ format, tables })).id, "completed");
    expect(job).toMatchObject({ format, tables });
    expect(sha256(await readAll(engine, job.id))).toBe(dumpHash(engine.options.database, format, tables));
  });

  it("may have nothing in it", async () => {
    const database = createDatabase(0);
    const writer = new Database(database);
    writer.exec("DROP TABLE accounts");
    writer.close();
    const engine = await openEngine(engineOptions({ database }));
    const job = await engine.until((await engine.startJob({ format: "ndjson" })).id, "completed");
    expect(job.artifact).toEqual({ bytes: 0, sha256: sha256(Buffer.alloc(0)) });
    expect(job.progress).toEqual({ tablesDone: 1, tablesTotal: 1, rowsDone: 0, bytesWritten: 0 });
    expect(await readAll(engine, job.id)).toHaveLength(0);
  });

  it("leaves out the tables of `except`, unless they are named", async () => {
    const engine = await openEngine(engineOptions({ except: ["ACCOUNTS"] }));
    const all = await engine.until((await engine.startJob({ format: "ndjson" })).id, "completed");
    expect(all.progress).toMatchObject({ tablesTotal: 1, rowsDone: 256 });
    const named = await engine.until((await engine.startJob({ format: "csv", tables: ["accounts"] })).id, "completed");
    expect(named.progress.rowsDone).toBe(1_000);
  });

  it("tells of each state, of its parts seldom, and of the end as it is", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions({ database: createDatabase(24) }), { wrapStore: gated.wrap });
    const began = performance.now();
    const { id } = await engine.startJob({});
    const job = await engine.until(id, "completed");
    const tookMs = performance.now() - began;
    expect(gated.finished.length).toBeGreaterThan(20);
    expect([...new Set(engine.told.map(({ state }) => state))]).toEqual(["queued", "running", "completed"]);
    expect(engine.told.at(-1)).toEqual(job);
    expect(engine.told.length).toBeLessThanOrEqual(4 + tookMs / 250);
    const written = engine.told.map(({ progress }) => progress.bytesWritten);
    expect(written).toEqual([...written].sort((a, b) => a - b));
  });

  it("keeps its books so that each part and each table can be looked at", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions({ database: createDatabase(4) }), { wrapStore: gated.wrap });
    const reached = gated.holdPart(3);
    const { id } = await engine.startJob({ format: "ndjson" });
    await reached;
    const books = new Database(join(engine.options.dir, "exports.db"), { readonly: true });
    atEnd(() => books.close());
    const tables = "SELECT name, rows_done, done FROM export_job_tables WHERE job_id = ? ORDER BY place";
    const [accounts, pages] = (await waitFor(() => {
      const rows = books.prepare(tables).all(id) as { name: string; rows_done: number; done: number }[];
      return rows[1]?.rows_done ? rows : null;
    })) as { name: string; rows_done: number; done: number }[];
    expect(accounts).toEqual({ name: "accounts", rows_done: 1_000, done: 1 });
    expect(pages).toMatchObject({ name: "pages", done: 0 });
    expect(pages?.rows_done).toBeLessThan(1_024);
    gated.open();
    const job = await engine.until(id, "completed");
    expect(books.prepare(tables).all(id)).toEqual([
      { name: "accounts", rows_done: 1_000, done: 1 },
      { name: "pages", rows_done: 1_024, done: 1 },
    ]);
    const file = await readAll(engine, id);
    let end = 0;
    const chunks = books.prepare("SELECT * FROM export_job_chunks WHERE job_id = ? ORDER BY number").all(id);
    for (const { bytes, sha256: expected } of chunks as { bytes: number; sha256: string }[]) {
      expect(sha256(file.subarray(end, end + bytes))).toBe(expected);
      end += bytes;
    }
    expect(end).toBe(job.artifact?.bytes);
    expect(chunks.length).toBeGreaterThan(3);
  });

  it("is for this user alone", async () => {
    const engine = await openEngine(engineOptions());
    const { id } = await engine.until((await engine.startJob({})).id, "completed");
    for (const name of ["", "exports.db", `files/${id}.sql`]) {
      expect(statSync(join(engine.options.dir, name)).mode & 0o077, name).toBe(0);
    }
  });
});

describe("A job that cannot work", () => {
  it("is refused when it is asked for", async () => {
    const engine = await openEngine(engineOptions());
    await expect(engine.startJob({ tables: ["pages", "nowhere"] })).rejects.toMatchObject({
      code: "TABLE_MISSING",
      message: expect.stringMatching(/"nowhere"/),
    });
    await expect(engine.startJob({ format: "csv" })).rejects.toMatchObject({
      code: "INVALID_EXPORT",
      message: expect.stringMatching(/^tables: .*one table/),
    });
    expect(await engine.jobs()).toEqual([]);
  });

  it("is refused where the database is not there, is none, or is locked", async () => {
    const folder = tempDir();
    const missing = await openEngine(engineOptions({ database: join(folder, "missing.db") }));
    await expect(missing.startJob({})).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    const text = join(folder, "text.db");
    writeFileSync(text, "no database at all, but long enough to look at".repeat(100));
    const none = await openEngine(engineOptions({ database: text }));
    await expect(none.startJob({})).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    const file = createDatabase(0);
    const owner = new Database(file);
    atEnd(() => owner.close());
    owner.pragma("journal_mode = DELETE");
    owner.exec("BEGIN EXCLUSIVE");
    const locked = await openEngine(engineOptions({ database: file }));
    await expect(locked.startJob({})).rejects.toMatchObject({ code: "LOCAL_DATABASE", retryable: true });
    expect(existsSync(join(folder, "missing.db"))).toBe(false);
  });

  it("fails with its reason where the table goes away before its turn comes, and keeps nothing", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions({ concurrency: 1 }), { wrapStore: gated.wrap });
    const reached = gated.holdPart(1);
    const first = await engine.startJob({});
    await reached;
    const second = await engine.startJob({ format: "csv", tables: ["accounts"] });
    const writer = new Database(engine.options.database);
    writer.exec("DROP TABLE accounts");
    writer.close();
    gated.open();
    await engine.until(first.id, "completed");
    const failed = await engine.until(second.id, "failed");
    expect(failed.error).toMatchObject({ code: "TABLE_MISSING", message: expect.stringMatching(/"accounts"/) });
    await waitFor(() => !existsSync(join(engine.options.dir, "work", second.id)));
    await expect(engine.openArtifact(second.id, null)).rejects.toMatchObject({ code: "JOB_FAILED" });
  });
});

describe("Several jobs", () => {
  it("run at once, as many as are allowed, the others in their order", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions({ concurrency: 2 }), { wrapStore: gated.wrap });
    const reached = gated.holdPart(1);
    const jobs: ExportJob[] = [];
    for (const format of ["sql", "json", "ndjson", "sql", "json"] as const)
      jobs.push(await engine.startJob({ format }));
    await reached;
    await waitFor(async () => (await engine.jobs()).filter(({ state }) => state === "running").length === 2);
    expect((await engine.jobs()).map(({ id }) => id)).toEqual(jobs.map(({ id }) => id).reverse());
    expect((await engine.jobs()).map(({ state }) => state)).toEqual([
      "queued",
      "queued",
      "queued",
      "running",
      "running",
    ]);
    gated.open();
    for (const { id, format } of jobs) {
      const { artifact } = await engine.until(id, "completed");
      expect(artifact?.sha256).toBe(dumpHash(engine.options.database, format, null));
    }
    const begun = engine.told.filter(({ state }) => state === "running").map(({ id }) => id);
    expect([...new Set(begun)]).toEqual(jobs.map(({ id }) => id));
  });

  it("wait only so many: the next is refused until one has ended", async () => {
    const gated = new GatedStore();
    const options = engineOptions({ concurrency: 1, maxQueuedJobs: 1 });
    const engine = await openEngine(options, { wrapStore: gated.wrap });
    void gated.holdPart(1);
    const first = await engine.startJob({});
    const second = await engine.startJob({});
    await expect(engine.startJob({})).rejects.toMatchObject({ code: "EXPORT_BUSY", retryable: true });
    await engine.removeJob(first.id);
    const third = await engine.startJob({});
    gated.open();
    await engine.until(second.id, "completed");
    await engine.until(third.id, "completed");
  });
});

describe("A finished export", () => {
  it("is read whole or by a range, several times at once", async () => {
    const engine = await openEngine(engineOptions());
    const { id } = await engine.until((await engine.startJob({})).id, "completed");
    const whole = await readAll(engine, id);
    const { reader, bytes } = await engine.openArtifact(id, { start: 1_000, end: 1_009 });
    const other = await engine.openArtifact(id, null);
    expect(bytes).toBe(whole.length);
    expect(await engine.readArtifact(reader)).toEqual(new Uint8Array(whole.subarray(1_000, 1_010)));
    expect(await engine.readArtifact(reader)).toBeNull();
    await engine.closeArtifact(other.reader);
    await engine.closeArtifact(other.reader);
    await expect(engine.readArtifact(other.reader)).rejects.toMatchObject({ code: "STOPPED" });
  });

  it("is closed where nobody reads on", async () => {
    const engine = await openEngine(engineOptions(), { readerIdleMs: 30 });
    const { id } = await engine.until((await engine.startJob({})).id, "completed");
    const { reader } = await engine.openArtifact(id, null);
    await engine.readArtifact(reader);
    await waitFor(
      () =>
        engine.readArtifact(reader).then(
          () => false,
          ({ code }) => code === "STOPPED",
        ),
      { everyMs: 60 },
    );
  });

  it("is not there before the job has completed, nor for ids that no job has", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions(), { wrapStore: gated.wrap });
    const reached = gated.holdPart(1);
    const { id } = await engine.startJob({});
    await reached;
    await expect(engine.openArtifact(id, null)).rejects.toMatchObject({ code: "JOB_UNFINISHED" });
    gated.open();
    await engine.until(id, "completed");
    for (const odd of ["", "..", `../files/${id}`, `${id}.sql`, "x".repeat(10_000), "\0"]) {
      await expect(engine.openArtifact(odd, null)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
      await expect(engine.removeJob(odd)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
      await expect(engine.job(odd)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
    }
  });
});
