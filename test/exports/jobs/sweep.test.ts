import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { waitFor } from "../../support/wait.js";
import { engineOptions, openEngine, readAll } from "./engine-fixture.js";
import { GatedStore } from "./gated-store.js";

/** Lets a job have ended long ago. */
function age(dir: string, id: string, more = ""): void {
  const books = new Database(join(dir, "exports.db"));
  books.prepare(`UPDATE export_jobs SET finished_at = '2020-01-01T00:00:00.000Z'${more} WHERE id = ?`).run(id);
  books.close();
}

describe("The sweep", () => {
  it("removes jobs that ended longer ago than they are kept, with their files, while others stay", async () => {
    const engine = await openEngine(engineOptions(), { sweepEveryMs: 20 });
    const old = await engine.until((await engine.startJob({})).id, "completed");
    const failed = await engine.startJob({ format: "csv", tables: ["pages"] });
    await engine.until(failed.id, "completed");
    const kept = await engine.until((await engine.startJob({ format: "json" })).id, "completed");
    age(engine.options.dir, old.id);
    age(engine.options.dir, failed.id, ", state = 'failed', error_code = 'LOCAL_DATABASE', location = NULL");
    await waitFor(async () => (await engine.jobs()).length === 1);
    await waitFor(() => readdirSync(join(engine.options.dir, "files")).length === 1);
    expect((await engine.job(kept.id)).state).toBe("completed");
    expect(await readAll(engine, kept.id)).toHaveLength(kept.artifact?.bytes ?? -1);
  });

  it("happens when the engine is opened", async () => {
    const options = engineOptions();
    const engine = await openEngine(options);
    const { id } = await engine.until((await engine.startJob({})).id, "completed");
    await engine.close();
    age(options.dir, id);
    const again = await openEngine(options);
    await waitFor(async () => (await again.jobs()).length === 0);
    await waitFor(() => readdirSync(join(options.dir, "files")).length === 0);
  });

  it("keeps a job whose callback is still to be sent, as long as callbacks are", async () => {
    const callbacks = { secrets: [`whsec_${"A".repeat(32)}`], allowPrivate: true, giveUpAfterSeconds: 259_200 };
    const options = engineOptions({ callbacks });
    // A port that nobody listens on.
    const callbackUrl = "http://127.0.0.1:9/hook";
    const engine = await openEngine(options, { sweepEveryMs: 20 });
    const { id } = await engine.until((await engine.startJob({ callbackUrl })).id, "completed");
    const other = await engine.until((await engine.startJob({})).id, "completed");
    for (const job of [id, other.id]) age(options.dir, job);
    await waitFor(async () => (await engine.jobs()).length === 1);
    expect((await engine.job(id)).callback).toMatchObject({ state: "pending" });
    await engine.close();
    const without = await openEngine({ ...options, callbacks: null });
    await waitFor(async () => (await without.jobs()).length === 0);
  });

  it("removes what lies under the folder and is no job's, and nothing that is", async () => {
    const gated = new GatedStore();
    const options = engineOptions();
    const { dir } = options;
    for (const name of ["work/nobody", "files"]) mkdirSync(join(dir, name), { recursive: true });
    const theirs = ["work/nobody/snapshot.db", "work/stray", "files/gone.sql", "files/.hidden"];
    for (const name of theirs) writeFileSync(join(dir, name), "left over");
    writeFileSync(join(dir, "README"), "somebody's");
    const engine = await openEngine(options, { sweepEveryMs: 10, wrapStore: gated.wrap });
    await waitFor(() => theirs.every((name) => !existsSync(join(dir, name))));
    expect(existsSync(join(dir, "README"))).toBe(true);
    const done = await engine.until((await engine.startJob({})).id, "completed");
    const reached = gated.holdPart(1);
    const running = await engine.startJob({});
    await reached;
    // Swept many times meanwhile.
    writeFileSync(join(dir, "files/marker.sql"), "");
    await waitFor(() => !existsSync(join(dir, "files/marker.sql")));
    expect(existsSync(join(dir, "work", running.id, "snapshot.db"))).toBe(true);
    gated.open();
    await engine.until(running.id, "completed");
    expect(await readAll(engine, done.id)).toHaveLength(done.artifact?.bytes ?? -1);
  });
});
