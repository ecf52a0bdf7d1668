import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ExportJob } from "../../../src/exports/export-job.js";
import type { EngineOptions } from "../../../src/exports/jobs/export-engine.js";
import { s3ServerMissing, startS3Server, type TestS3 } from "../../support/s3-server.js";
import { waitFor } from "../../support/wait.js";
import { createDatabase, dumpHash, engineOptions, openEngine, readAll, sha256 } from "./engine-fixture.js";
import { startEngineProcess } from "./engine-process.js";

const missing = s3ServerMissing();

describe.skipIf(missing !== null)(missing ?? "A job whose file goes to a bucket", () => {
  let server: TestS3;
  let database: string;
  beforeAll(async () => {
    server = await startS3Server();
    database = createDatabase(40);
  }, 60_000);
  beforeEach(() => server.empty());

  const options = (): EngineOptions => engineOptions({ database, s3: server.options() });

  it("completes, is read from there, and is removed there", async () => {
    const engine = await openEngine(options());
    const { id } = await engine.startJob({});
    const job = await engine.until(id, "completed");
    expect(job.artifact?.sha256).toBe(dumpHash(database, "sql", null));
    expect(sha256(await readAll(engine, id))).toBe(job.artifact?.sha256);
    expect(await server.contents()).toEqual([`${id}.sql`]);
    await waitFor(() => !existsSync(join(engine.options.dir, "work", id)));
    await engine.removeJob(id);
    expect(await server.contents()).toEqual([]);
  });

  it("goes on with its upload after a kill -9, to the same file", async () => {
    const kept = options();
    const first = await startEngineProcess(kept);
    const { id } = await first.call<ExportJob>("startJob", {});
    await waitFor(async () => (await first.call<ExportJob>("job", id)).progress.bytesWritten > 0, {
      timeoutMs: 15_000,
    });
    await first.child.kill();
    const engine = await openEngine(kept);
    const before = (await engine.job(id)).progress.bytesWritten;
    expect(before).toBeGreaterThan(0);
    const job = await engine.until(id, "completed", 30_000);
    expect(Math.min(...engine.told.map(({ progress }) => progress.bytesWritten))).toBeGreaterThanOrEqual(before);
    expect(job.artifact?.sha256).toBe(dumpHash(database, "sql", null));
    expect(sha256(await readAll(engine, id))).toBe(job.artifact?.sha256);
    expect(await server.contents()).toEqual([`${id}.sql`]);
  });

  it("waits while the bucket is away", async () => {
    const engine = await openEngine(options());
    const { id } = await engine.startJob({});
    await waitFor(async () => (await engine.job(id)).progress.bytesWritten > 0, { timeoutMs: 15_000 });
    await server.stop();
    await waitFor(async () => (await engine.job(id)).state === "running");
    await server.start();
    const job = await engine.until(id, "completed", 30_000);
    expect(sha256(await readAll(engine, id))).toBe(job.artifact?.sha256);
    expect(job.artifact?.sha256).toBe(dumpHash(database, "sql", null));
  }, 60_000);

  it("takes its upload back when it is cancelled", async () => {
    const engine = await openEngine(options());
    const { id } = await engine.startJob({});
    await waitFor(async () => (await engine.job(id)).progress.bytesWritten > 0, { timeoutMs: 15_000 });
    expect(await server.contents()).toEqual([`${id}.sql (upload)`]);
    await engine.removeJob(id);
    expect(await server.contents()).toEqual([]);
  });

  it("is begun anew in the folder where the options have no bucket any more", async () => {
    const kept = options();
    const engine = await openEngine(kept);
    const { id } = await engine.startJob({});
    await waitFor(async () => (await engine.job(id)).progress.bytesWritten > 0, { timeoutMs: 15_000 });
    await engine.close();
    const { s3: _, ...folder } = kept;
    const again = await openEngine(folder);
    const job = await again.until(id, "completed", 30_000);
    expect(sha256(await readAll(again, id))).toBe(job.artifact?.sha256);
    expect(job.artifact?.sha256).toBe(dumpHash(database, "sql", null));
  });
});
