import { renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { waitFor } from "../../support/wait.js";
import {
  createDatabase,
  dumpHash,
  engineOptions,
  openEngine,
  readAll,
  sha256,
  type TestEngine,
} from "./engine-fixture.js";
import { GatedStore } from "./gated-store.js";

interface Stopped {
  readonly id: string;
  readonly options: TestEngine["options"];
  readonly snapshot: string;
  readonly halfFile: string;
  /** What the uninterrupted dump of the snapshot is. */
  readonly hash: string;
}

/** A job that was stopped with three of its parts recorded. */
async function stopInTheMiddle({ rereads }: { rereads?: boolean } = {}): Promise<Stopped> {
  const gated = new GatedStore(rereads);
  const engine = await openEngine(engineOptions({ database: createDatabase(8) }), { wrapStore: gated.wrap });
  const reached = gated.holdPart(4);
  const { id } = await engine.startJob({});
  await reached;
  await waitFor(() => partsOf(engine.options.dir).length === 3);
  const work = join(engine.options.dir, "work", id);
  const snapshot = join(work, "snapshot.db");
  const hash = dumpHash(snapshot, "sql", null);
  const began = performance.now();
  await engine.close();
  expect(performance.now() - began, "quick, though a part waits").toBeLessThan(5_000);
  gated.open();
  return { id, options: engine.options, snapshot, halfFile: join(work, "artifact.part"), hash };
}

function partsOf(dir: string): { number: number; sha256: string }[] {
  const books = new Database(join(dir, "exports.db"), { readonly: true });
  try {
    return books.prepare("SELECT number, sha256 FROM export_job_chunks ORDER BY number").all() as ReturnType<
      typeof partsOf
    >;
  } finally {
    books.close();
  }
}

/** Changes rows of the database, so that a new snapshot is another. */
function write(database: string): void {
  const writer = new Database(database);
  writer.exec("UPDATE pages SET body = 'changed' || body WHERE id % 3 = 0");
  writer.close();
}

async function goOn({ id, options }: Stopped): Promise<{ gated: GatedStore; hash: string; engine: TestEngine }> {
  const gated = new GatedStore();
  const engine = await openEngine(options, { wrapStore: gated.wrap });
  const job = await engine.until(id, "completed");
  const hash = sha256(await readAll(engine, id));
  expect(job.artifact?.sha256).toBe(hash);
  expect(job.progress).toMatchObject({ tablesDone: 2, rowsDone: 1_000 + 8 * 256 });
  return { gated, hash, engine };
}

describe("A job that was cut short", () => {
  it("goes on after its last part, from its snapshot, to the file that it would have been", async () => {
    const stopped = await stopInTheMiddle();
    write(stopped.options.database);
    const { gated, hash } = await goOn(stopped);
    expect(hash).toBe(stopped.hash);
    expect(gated.finished[0]).toBe(4);
    expect(gated.begun).toBe(0);
  });

  it("goes on where the store cannot read its parts again", async () => {
    const stopped = await stopInTheMiddle({ rereads: false });
    const gated = new GatedStore(false);
    const engine = await openEngine(stopped.options, { wrapStore: gated.wrap });
    const job = await engine.until(stopped.id, "completed");
    expect(job.artifact?.sha256).toBe(stopped.hash);
    expect(sha256(await readAll(engine, stopped.id))).toBe(stopped.hash);
    expect(gated.finished[0]).toBe(4);
  });

  it("is begun anew, from the same snapshot, where its half file is not what was written", async () => {
    for (const harm of [
      (path: string) => truncateSync(path, 1_000_000),
      (path: string) => writeFileSync(path, "x", { flag: "r+" }),
      (path: string) => rmSync(path),
    ]) {
      const stopped = await stopInTheMiddle();
      write(stopped.options.database);
      harm(stopped.halfFile);
      const { gated, hash } = await goOn(stopped);
      expect(hash).toBe(stopped.hash);
      expect(gated.begun).toBe(1);
      expect(gated.finished[0]).toBe(1);
    }
  });

  it("keeps of its half file no more than what was recorded", async () => {
    const stopped = await stopInTheMiddle();
    writeFileSync(stopped.halfFile, Buffer.alloc(3_000_000, 7), { flag: "a" });
    const { gated, hash } = await goOn(stopped);
    expect(hash).toBe(stopped.hash);
    expect(gated.begun).toBe(0);
  });

  it("is begun anew where the dump would be another", async () => {
    const stopped = await stopInTheMiddle();
    const books = new Database(join(stopped.options.dir, "exports.db"));
    books.exec("UPDATE export_jobs SET fingerprint = 'sql/0 sqlite/3.0.0'");
    books.close();
    const { gated, hash } = await goOn(stopped);
    expect(hash).toBe(stopped.hash);
    expect(gated.begun).toBe(1);
  });

  it("exports the database that it was asked for, also where the options name another by now", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions({ concurrency: 1 }), { wrapStore: gated.wrap });
    const reached = gated.holdPart(1);
    await engine.startJob({});
    const { id } = await engine.startJob({});
    await reached;
    await engine.close();
    gated.open();
    const { database } = engine.options;
    const again = await openEngine({ ...engine.options, database: createDatabase(2) });
    await again.until(id, "completed");
    expect(sha256(await readAll(again, id))).toBe(dumpHash(database, "sql", null));
  });

  it("is begun anew as a whole where its snapshot is lost or another file: all of it comes from one", async () => {
    for (const harm of [
      (path: string) => rmSync(path),
      (path: string) => truncateSync(path, statSync(path).size - 4_096),
      (path: string) => renameSync(path, `${path}.part`),
    ]) {
      const stopped = await stopInTheMiddle();
      write(stopped.options.database);
      harm(stopped.snapshot);
      const { hash } = await goOn(stopped);
      expect(hash).not.toBe(stopped.hash);
      expect(hash).toBe(dumpHash(stopped.options.database, "sql", null));
    }
  });

  it("needs its snapshot no more once its last part is recorded", async () => {
    const gated = new GatedStore();
    const options = engineOptions({ database: createDatabase(4) });
    const engine = await openEngine(options, {
      wrapStore: (store) => {
        const inner = gated.wrap(store);
        return {
          ...inner,
          resume: async (...args) => {
            const writer = await inner.resume(...args);
            return (
              writer && {
                minPartBytes: (number) => writer.minPartBytes(number),
                part: (number) => writer.part(number),
                close: () => writer.close(),
                // Seen, and not done: as a crash in between leaves it.
                complete: () => new Promise<string>(() => gated.finished.push(-1)),
              }
            );
          },
        };
      },
    });
    const { id } = await engine.startJob({});
    await waitFor(() => gated.finished.at(-1) === -1);
    const work = join(options.dir, "work", id);
    const hash = dumpHash(join(work, "snapshot.db"), "sql", null);
    rmSync(join(work, "snapshot.db"));
    await engine.close();
    const again = await openEngine(options);
    const job = await again.until(id, "completed");
    expect(job.artifact?.sha256).toBe(hash);
    expect(sha256(await readAll(again, id))).toBe(hash);
  });

  it("keeps the tables that were left out when it was asked for", async () => {
    const gated = new GatedStore();
    const options = engineOptions({ database: createDatabase(4), except: ["accounts"] });
    const engine = await openEngine(options, { wrapStore: gated.wrap });
    const reached = gated.holdPart(2);
    const { id } = await engine.startJob({ format: "ndjson" });
    await reached;
    await engine.close();
    const again = await openEngine({ ...options, except: ["pages"] });
    const job = await again.until(id, "completed");
    expect(job.progress.rowsDone).toBe(4 * 256);
    expect(gated.begun).toBe(1);
  });

  it("waits with the others in the order in which they came", async () => {
    const gated = new GatedStore();
    const options = engineOptions({ concurrency: 1 });
    const engine = await openEngine(options, { wrapStore: gated.wrap });
    const reached = gated.holdPart(1);
    const ids = [];
    for (let count = 0; count < 4; count += 1) ids.push((await engine.startJob({})).id);
    await reached;
    await engine.close();
    const again = await openEngine(options);
    for (const id of ids) await again.until(id, "completed");
    const ended = again.told.filter(({ state }) => state === "completed").map(({ id }) => id);
    expect(ended).toEqual(ids);
  });
});
