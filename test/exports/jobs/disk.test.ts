import { existsSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { mountSmallDisk } from "../../support/small-disk.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { createDatabase, dumpHash, engineOptions, openEngine, type TestEngine } from "./engine-fixture.js";

const MB = 1024 * 1024;

async function expectNoFiles({ options: { dir } }: TestEngine): Promise<void> {
  await waitFor(() =>
    ["work", "files"].every((name) => !existsSync(join(dir, name)) || readdirSync(join(dir, name)).length === 0),
  );
}

describe("A job that would take more room than it may", () => {
  it("fails before its snapshot", async () => {
    const database = createDatabase(4);
    const engine = await openEngine(engineOptions({ database, maxDiskBytes: 2 * MB }));
    const { id } = await engine.startJob({});
    const job = await engine.until(id, "failed");
    expect(job.error).toMatchObject({ code: "DISK_LIMIT", message: expect.stringMatching(/maxDiskBytes|bytes/) });
    expect(job.progress.tablesTotal).toBeNull();
    await expectNoFiles(engine);
  });

  it("fails while it writes, and the next one has the room", async () => {
    const database = createDatabase(16);
    const engine = await openEngine(engineOptions({ database, maxDiskBytes: 26 * MB }));
    const { id } = await engine.startJob({});
    const job = await engine.until(id, "failed");
    expect(job.error?.code).toBe("DISK_LIMIT");
    expect(job.progress.tablesTotal).toBe(2);
    await expectNoFiles(engine);
    const small = await engine.startJob({ format: "csv", tables: ["accounts"] });
    await engine.until(small.id, "completed");
  });

  it("leaves free what is to stay free", async () => {
    const dir = tempDir();
    const { bavail, bsize } = statfsSync(dir);
    const engine = await openEngine(engineOptions({ dir: join(dir, "exports"), minFreeBytes: bavail * bsize * 2 }));
    const { id } = await engine.startJob({});
    expect((await engine.until(id, "failed")).error).toMatchObject({
      code: "DISK_LIMIT",
      message: expect.stringMatching(/minFreeBytes/),
    });
  });

  it("has room made by what is kept no longer", async () => {
    const database = createDatabase(4);
    const dir = join(tempDir(), "exports");
    const engine = await openEngine(engineOptions({ database, dir, maxDiskBytes: 10 * MB, retentionSeconds: 1 }));
    const old = await engine.until((await engine.startJob({})).id, "completed");
    // As an hour in which nothing was swept.
    const books = new Database(join(dir, "exports.db"));
    books.prepare("UPDATE export_jobs SET finished_at = '2020-01-01T00:00:00.000Z'").run();
    books.close();
    const next = await engine.until((await engine.startJob({})).id, "completed");
    expect(next.artifact).toEqual(old.artifact);
    await expect(engine.job(old.id)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
  });
});

describe("A disk that is full", () => {
  it("fails the job, saying so, and harms nothing: the next job completes when there is room", async (context) => {
    const disk = mountSmallDisk(48);
    if (disk === null) return context.skip("needs the right to mount a tmpfs: run it as root on Linux");
    const database = createDatabase(16);
    const dir = join(disk, "exports");
    const engine = await openEngine(engineOptions({ database, dir }));
    const done = await engine.until((await engine.startJob({ format: "csv", tables: ["accounts"] })).id, "completed");
    const free = () => {
      const { bavail, bsize } = statfsSync(disk);
      return bavail * bsize;
    };
    // For nothing; for the snapshot and a part of the file; for all but the last bytes of the file.
    for (const room of [0, 20 * MB, 33 * MB]) {
      const filler = join(disk, "filler");
      writeFileSync(filler, Buffer.alloc(Math.max(0, free() - room)));
      const taken = await engine.startJob({}).catch((error) => error);
      if (taken instanceof Error) expect(taken).toMatchObject({ code: "DISK_LIMIT" });
      else {
        const failed = await engine.until(taken.id, "failed");
        expect(failed.error, `${room} bytes`).toMatchObject({ code: "DISK_LIMIT" });
      }
      rmSync(filler);
      await waitFor(() => free() > 40 * MB, { what: "the files to be gone" });
    }
    const job = await engine.until((await engine.startJob({})).id, "completed");
    expect(job.artifact?.sha256).toBe(dumpHash(database, "sql", null));
    expect((await engine.job(done.id)).artifact).toEqual(done.artifact);
  });
});
