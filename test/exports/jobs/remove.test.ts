import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { waitFor } from "../../support/wait.js";
import { createDatabase, engineOptions, openEngine, type TestEngine } from "./engine-fixture.js";
import { GatedStore } from "./gated-store.js";

/** What is left of jobs, anywhere. */
function leftOf({ options: { dir } }: TestEngine): unknown {
  const books = new Database(join(dir, "exports.db"), { readonly: true });
  const counts = ["export_jobs", "export_job_tables", "export_job_chunks"].map((table) =>
    books.prepare(`SELECT count(*) FROM ${table}`).pluck().get(),
  );
  books.close();
  const files = ["work", "files"].map((name) => (existsSync(join(dir, name)) ? readdirSync(join(dir, name)) : []));
  return [...counts, ...files.flat()];
}

const NOTHING = [0, 0, 0];

describe("Removing a job", () => {
  it("that waits takes it out of the queue", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions({ concurrency: 1 }), { wrapStore: gated.wrap });
    const reached = gated.holdPart(1);
    const first = await engine.startJob({});
    await reached;
    const second = await engine.startJob({});
    await engine.removeJob(second.id);
    await expect(engine.job(second.id)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
    gated.open();
    await engine.until(first.id, "completed");
    await engine.removeJob(first.id);
    expect(engine.told.some(({ id, state }) => id === second.id && state !== "queued")).toBe(false);
    expect(leftOf(engine)).toEqual(NOTHING);
  });

  it("at any moment of it ends it and leaves nothing", async () => {
    const engine = await openEngine(engineOptions({ database: createDatabase(16) }));
    const whole = performance.now();
    await engine.removeJob((await engine.until((await engine.startJob({})).id, "completed")).id);
    const tookMs = performance.now() - whole;
    for (let round = 0; round < 12; round += 1) {
      const { id } = await engine.startJob({});
      await new Promise((resolve) => setTimeout(resolve, (tookMs * round) / 12));
      await engine.removeJob(id);
      expect(leftOf(engine), `round ${round}`).toEqual(NOTHING);
      await expect(engine.job(id)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
    }
  });

  it("while a part is being finished does not wait for the part", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions({ database: createDatabase(8) }), { wrapStore: gated.wrap });
    const reached = gated.holdPart(2);
    const { id } = await engine.startJob({});
    await reached;
    await engine.removeJob(id);
    gated.open();
    expect(leftOf(engine)).toEqual(NOTHING);
  });

  it("while it is being begun in the store does not wait for that, and leaves nothing there", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions(), { wrapStore: gated.wrap });
    const reached = gated.holdBegin();
    const { id } = await engine.startJob({});
    await reached;
    await engine.removeJob(id);
    gated.open();
    await waitFor(() => gated.tickets.length === 1 && isDeepStrictEqual(leftOf(engine), NOTHING));
  });

  it("that has completed removes its file, and its place is free for others", async () => {
    const engine = await openEngine(engineOptions());
    const { id } = await engine.until((await engine.startJob({})).id, "completed");
    await Promise.all([engine.removeJob(id), engine.removeJob(id).catch(() => {})]);
    await expect(engine.removeJob(id)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
    await expect(engine.openArtifact(id, null)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
    expect(leftOf(engine)).toEqual(NOTHING);
  });

  it("whose store is away says so, shows the job no more, and is done later", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions(), { wrapStore: gated.wrap, sweepEveryMs: 20 });
    const { id } = await engine.until((await engine.startJob({})).id, "completed");
    gated.fail(new ReplicaError("ARTIFACT_STORE", "The store is away", { retryable: true }), 4);
    await expect(engine.removeJob(id)).rejects.toMatchObject({ code: "ARTIFACT_STORE" });
    await expect(engine.job(id)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
    expect(await engine.jobs()).toEqual([]);
    await waitFor(() => expect(leftOf(engine)).toEqual(NOTHING) ?? true);
  });

  it("that is cut short by close() is finished when the engine is opened again", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions(), { wrapStore: gated.wrap });
    const { id } = await engine.until((await engine.startJob({})).id, "completed");
    const reached = gated.holdRemoval();
    const removal = engine.removeJob(id).catch((error) => error);
    await reached;
    await engine.close();
    gated.open();
    expect(await removal).toMatchObject({ code: "STOPPED" });
    const again = await openEngine(engine.options);
    expect(await again.jobs()).toEqual([]);
    await waitFor(() => expect(leftOf(again)).toEqual(NOTHING) ?? true);
  });

  it("that failed leaves nothing either", async () => {
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions(), { wrapStore: gated.wrap });
    gated.fail(new ReplicaError("ARTIFACT_STORE", "The store says no"), 1);
    const { id } = await engine.startJob({});
    expect((await engine.until(id, "failed")).error).toEqual({ code: "ARTIFACT_STORE", message: "The store says no" });
    await engine.removeJob(id);
    expect(leftOf(engine)).toEqual(NOTHING);
  });
});
