import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { ArtifactStore } from "../../../src/exports/artifacts/artifact-store.js";
import type { ExportJob } from "../../../src/exports/export-job.js";
import { createWorkerExportEngine } from "../../../src/exports/jobs/export-engine-client.js";
import { atEnd } from "../../support/at-end.js";
import { buildOnce } from "../../support/build-once.js";
import { inCi } from "../../support/size.js";
import { waitFor } from "../../support/wait.js";
import { createDatabase, dumpHash, engineOptions, openEngine, untilState } from "./engine-fixture.js";
import { startEngineProcess } from "./engine-process.js";
import { GatedStore } from "./gated-store.js";

const AWAY = new ReplicaError("ARTIFACT_STORE", "The store is away", { retryable: true, hint: "Wait." });

describe("A job whose store is away", () => {
  it("waits for it, and goes on after its last part", async () => {
    const gated = new GatedStore();
    const options = engineOptions({ database: createDatabase(8) });
    const engine = await openEngine(options, { wrapStore: gated.wrap });
    const reached = gated.holdPart(4);
    const { id } = await engine.startJob({});
    await reached;
    gated.fail(AWAY, 7);
    gated.open();
    const job = await engine.until(id, "completed");
    expect(job.artifact?.sha256).toBe(dumpHash(options.database, "sql", null));
    expect(gated.finished.slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(gated.begun).toBe(1);
  });

  it("fails once it has been away for too long, with its reason and hint", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions(), { wrapStore: gated.wrap, retry: { storePatienceMs: 60 } });
    gated.fail(AWAY, 1_000);
    const { id } = await engine.startJob({});
    const job = await engine.until(id, "failed");
    expect(job.error).toEqual({ code: "ARTIFACT_STORE", message: "The store is away. Wait." });
    await waitFor(() => !existsSync(join(engine.options.dir, "work", id)));
  });

  it("fails in the end where the store loses all of it each time, however much of it gets through", async () => {
    let begun = 0;
    // Each with a ticket of its own, as a bucket's are.
    const plain = (ticket: string | null) => ticket?.replace(/#.*/, "") ?? null;
    const wrapStore = (store: ArtifactStore): ArtifactStore => ({
      ...store,
      begin: async (job) => {
        begun += 1;
        return `${await store.begin(job)}#${begun}`;
      },
      remove: (ticket, location) => store.remove(plain(ticket), location),
      resume: async (ticket, parts, reread) => {
        const writer = parts.length > 0 ? null : await store.resume(plain(ticket) ?? "", parts, reread);
        if (writer === null) return null;
        return {
          minPartBytes: () => 1,
          part: (number) => writer.part(number),
          complete: () => Promise.reject(AWAY),
          close: () => writer.close(),
        };
      },
    });
    const engine = await openEngine(engineOptions(), { wrapStore, retry: { storePatienceMs: 300 } });
    const { id } = await engine.startJob({});
    expect((await engine.until(id, "failed")).error?.code).toBe("ARTIFACT_STORE");
    expect(begun).toBeGreaterThan(1);
  });

  it("fails at once where no later try would help", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions(), { wrapStore: gated.wrap });
    gated.fail(new ReplicaError("ARTIFACT_STORE", "The bucket is somebody else's"), 1);
    const { id } = await engine.startJob({});
    expect((await engine.until(id, "failed")).error?.message).toMatch(/somebody else's/);
  });
});

describe("A job whose work ends in an error that may pass", () => {
  it("is tried again so many times, counted from its last part", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions({ database: createDatabase(8) }), {
      wrapStore: gated.wrap,
      retry: { attempts: 3 },
    });
    const died = new ReplicaError("WORKER_FAILED", "The thread died", { retryable: true });
    for (const [times, state] of [
      [2, "completed"],
      [3, "failed"],
    ] as const) {
      const reached = gated.holdPart(2);
      const { id } = await engine.startJob({});
      await reached;
      gated.fail(died, times);
      gated.open();
      const job = await engine.until(id, state);
      expect(job.error?.code).toBe(state === "failed" ? "WORKER_FAILED" : undefined);
    }
  });
});

describe("A thread that dies at a job's work", () => {
  /** Every thread of this process from now on. */
  function watchThreads(onThread: (thread: Worker) => void = () => {}): Worker[] {
    const threads: Worker[] = [];
    const take = (thread: Worker) => {
      threads.push(thread);
      onThread(thread);
    };
    process.on("worker", take);
    atEnd(() => process.off("worker", take));
    return threads;
  }

  it("in the middle of the dump costs no part that was recorded", async () => {
    const gated = new GatedStore();
    const options = engineOptions({ database: createDatabase(24) });
    const engine = await openEngine(options, { wrapStore: gated.wrap });
    const threads = watchThreads();
    const reached = gated.holdPart(4);
    const { id } = await engine.startJob({});
    await reached;
    await Promise.all(threads.map((thread) => thread.terminate()));
    gated.open();
    const job = await engine.until(id, "completed");
    expect(job.artifact?.sha256).toBe(dumpHash(options.database, "sql", null));
    // One for the snapshot, and a second for the dump.
    expect(threads).toHaveLength(3);
    expect(gated.begun).toBe(1);
    expect(gated.finished.filter((number) => number <= 3)).toEqual([1, 2, 3]);
  });

  it("again and again fails the job in the end", async () => {
    const engine = await openEngine(engineOptions());
    const threads = watchThreads((thread) => void thread.terminate());
    const { id } = await engine.startJob({});
    expect((await engine.until(id, "failed")).error?.code).toBe("WORKER_FAILED");
    expect(threads).toHaveLength(5);
  });
});

describe("The engine's thread", () => {
  it("may die in the middle of a job: another goes on with it by itself", async () => {
    const told: ExportJob[] = [];
    const options = engineOptions({ database: createDatabase(96) });
    const entry = await buildOnce("test/exports/jobs/mortal-worker.ts");
    const engine = createWorkerExportEngine(options, (job) => told.push(job), { entry, reopenAfterMs: 10 });
    atEnd(() => engine.close());
    const death = new BroadcastChannel("export-worker");
    atEnd(() => death.close());
    const { id } = await engine.startJob({});
    await waitFor(async () => (await engine.job(id)).progress.bytesWritten > 0, { everyMs: 0 });
    const call = engine.openArtifact("nobody", null).catch((error) => error);
    death.postMessage("die");
    await call;
    const before = told.length;
    await waitFor(() => told.slice(before).some(({ state }) => state === "completed"), { timeoutMs: 15_000 });
    const job = await untilState(engine)(id, "completed");
    expect(job.artifact?.sha256).toBe(dumpHash(options.database, "sql", null));
  });

  it("dies with the calls under way, and the next call finds another", async () => {
    const entry = await buildOnce("test/exports/jobs/mortal-worker.ts");
    const engine = createWorkerExportEngine(engineOptions(), () => {}, { entry, reopenAfterMs: 60_000 });
    atEnd(() => engine.close());
    await engine.open();
    const death = new BroadcastChannel("export-worker");
    atEnd(() => death.close());
    death.postMessage("die");
    await waitFor(
      () =>
        engine.jobs().then(
          () => false,
          ({ code }) => code === "WORKER_FAILED",
        ),
      { everyMs: 0 },
    );
    expect(await engine.jobs()).toEqual([]);
    await engine.close();
    await expect(engine.jobs()).rejects.toMatchObject({ code: "STOPPED" });
  });

  it("stops quickly in the middle of a job, and lets the process end by itself", async () => {
    const options = engineOptions({ database: createDatabase(32) });
    const { child, call } = await startEngineProcess(options);
    const { id } = await call<ExportJob>("startJob", {});
    await waitFor(async () => (await call<ExportJob>("job", id)).progress.bytesWritten > 0, { timeoutMs: 15_000 });
    const began = performance.now();
    await call("close");
    expect(performance.now() - began).toBeLessThan(4_000);
    child.writeLine(JSON.stringify({ method: "leave", args: [] }));
    expect(await child.exited).toEqual({ code: 0, signal: null });
    const engine = await openEngine(options);
    expect((await engine.until(id, "completed")).artifact?.sha256).toBe(dumpHash(options.database, "sql", null));
  });
});

describe("Two engines with one folder", () => {
  it.runIf(inCi)("do not both work in it: the second is refused, and takes over when the first has died", async () => {
    const options = engineOptions({ database: createDatabase(8) });
    const first = await startEngineProcess(options);
    await expect(startEngineProcess(options)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining(options.dir),
      hint: expect.stringMatching(/dir/),
    });
    await expect(openEngine(options)).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    const { id } = await first.call<ExportJob>("startJob", {});
    await first.child.kill();
    const second = await openEngine(options);
    await second.until(id, "completed");
  });
});

describe("A folder that cannot be the exports'", () => {
  it("is refused, or fails its jobs, where something else lies in it", async () => {
    const options = engineOptions();
    writeFileSync(options.dir, "a file");
    await expect(openEngine(options)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringContaining(options.dir),
    });
    rmSync(options.dir);
    const engine = await openEngine(options);
    writeFileSync(join(options.dir, "work"), "a file");
    const { id } = await engine.startJob({});
    const { error } = await engine.until(id, "failed");
    expect(error).toMatchObject({ code: "ARTIFACT_STORE", message: expect.stringMatching(/move it away/) });
  });

  it("is refused where another program's database has the books' name, which stays as it is", async () => {
    const options = engineOptions();
    await (await openEngine(options)).close();
    const path = join(options.dir, "exports.db");
    const books = new Database(path);
    books.exec("DROP TABLE export_jobs; CREATE TABLE theirs (x)");
    books.close();
    await expect(openEngine(options)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringMatching(/not made/),
    });
  });

  it("is refused where its books are of a newer version", async () => {
    const options = engineOptions();
    await (await openEngine(options)).close();
    const books = new Database(join(options.dir, "exports.db"));
    books.pragma("user_version = 7");
    books.close();
    await expect(openEngine(options)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: expect.stringMatching(/version 7/),
    });
  });
});
