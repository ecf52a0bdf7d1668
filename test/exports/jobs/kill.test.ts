import { existsSync, linkSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { ExportJob } from "../../../src/exports/export-job.js";
import { buildOnce } from "../../support/build-once.js";
import { type Child, spawnNode } from "../../support/child.js";
import { realDelay, realNow } from "../../support/real-time.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { createDatabase, dumpHash, engineOptions } from "./engine-fixture.js";
import { type EngineProcess, startEngineProcess } from "./engine-process.js";
import { hashFile } from "./hash-file.js";

async function startWriter(database: string): Promise<Child> {
  const writer = spawnNode(await buildOnce("test/exports/jobs/bank-writer.ts"), [database]);
  await writer.waitForLine(/^writing$/);
  return writer;
}

/** Asks for a job until it has ended, and keeps its snapshot from when it is there. */
class Watch {
  readonly id: string;
  readonly kept: string;
  readonly #snapshot: string;

  constructor(dir: string, id: string) {
    this.id = id;
    this.kept = join(dir, `kept-${id}.db`);
    this.#snapshot = join(dir, "work", id, "snapshot.db");
  }

  /** The snapshot that there is. One that is taken anew, since nothing was recorded of the last, takes its place. */
  keep(): void {
    if (!existsSync(this.#snapshot)) return;
    if (existsSync(this.kept) && statSync(this.kept).ino === statSync(this.#snapshot).ino) return;
    rmSync(this.kept, { force: true });
    linkSync(this.#snapshot, this.kept);
  }

  /** The job when it has ended, is far enough, or so late. */
  async until({ call }: EngineProcess, deadlineMs: number, isEnough?: (job: ExportJob) => boolean): Promise<ExportJob> {
    for (;;) {
      this.keep();
      const job = await call<ExportJob>("job", this.id);
      if (job.state === "failed") throw new Error(JSON.stringify(job));
      if (job.state === "completed" || realNow() > deadlineMs || isEnough?.(job)) return job;
      await realDelay(5);
    }
  }
}

function bytesIn(job: ExportJob): number {
  return job.progress.bytesWritten;
}

async function bytesOf({ call }: EngineProcess, { id }: Watch): Promise<number> {
  return bytesIn(await call<ExportJob>("job", id));
}

/** Its bytes are those of its snapshot's dump, and its snapshot is of one moment. */
async function verify(dir: string, { id, kept }: Watch, job: ExportJob): Promise<void> {
  const hash = await hashFile(join(dir, "files", `${id}.sql`));
  expect(job.artifact?.sha256).toBe(hash);
  expect(hash).toBe(dumpHash(kept, "sql", null));
  const snapshot = new Database(kept, { readonly: true });
  expect(snapshot.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(snapshot.prepare("SELECT sum(balance), sum(balance <> 0) > 0 FROM accounts").raw().get()).toEqual([0, 1]);
  snapshot.close();
  await waitFor(() => !existsSync(join(dir, "work", id)));
  rmSync(kept);
}

describe("A process that is killed (kill -9) at random moments of a job, while others write to the database", () => {
  it("goes on, and ends with the bytes of one dump of one moment", { timeout: 30 * 60_000 }, async () => {
    const megabytes = size({ test: 24, ci: 150, soak: 500 });
    const rounds = size({ test: 2, ci: 10, soak: 15 });
    const options = engineOptions({
      database: createDatabase(megabytes),
      dir: join(tempDir(), "exports"),
      concurrency: 1,
    });
    const writer = await startWriter(options.database);
    let engine = await startEngineProcess(options);
    let watch = new Watch(options.dir, (await engine.call<ExportJob>("startJob", {})).id);
    const began = realNow();
    await verify(options.dir, watch, await watch.until(engine, Number.POSITIVE_INFINITY));
    const wholeMs = realNow() - began;
    await engine.call("removeJob", watch.id);

    watch = new Watch(options.dir, (await engine.call<ExportJob>("startJob", {})).id);
    let finished = 0;
    let inTheMiddle = 0;
    const again: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // Every other time at any moment, else soon after a part.
      const before = await bytesOf(engine, watch);
      if (round % 2 === 1) await watch.until(engine, Number.POSITIVE_INFINITY, (job) => bytesIn(job) > before);
      const lifeMs = Math.random() * wholeMs * (round % 2 === 1 ? 0.05 : 0.6);
      const job = await watch.until(engine, realNow() + lifeMs);
      if (job.state === "completed") {
        await verify(options.dir, watch, job);
        await engine.call("removeJob", watch.id);
        finished += 1;
        watch = new Watch(options.dir, (await engine.call<ExportJob>("startJob", {})).id);
      }
      await engine.child.kill();
      watch.keep();
      const killedAt = realNow();
      engine = await startEngineProcess(options);
      const kept = await bytesOf(engine, watch);
      if (kept === 0) continue;
      inTheMiddle += 1;
      await watch.until(engine, Number.POSITIVE_INFINITY, (next) => bytesIn(next) > kept);
      again.push(realNow() - killedAt);
    }
    await verify(options.dir, watch, await watch.until(engine, Number.POSITIVE_INFINITY));
    writer.writeLine("stop");
    const [wrote] = await writer.waitForLine(/^wrote .*/);
    process.stdout.write(
      `job of ${megabytes} MB: ${Math.round(wholeMs)} ms; killed ${rounds} times, ${inTheMiddle} with parts recorded; ` +
        `${finished + 2} jobs; from the kill to the next part ${again.map((ms) => Math.round(ms)).join(", ")} ms; ${wrote}\n`,
    );
    expect(inTheMiddle).toBeGreaterThan(0);
    await engine.child.kill();
  });
});
