import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dumpHash, engineOptions, openEngine, readAll, sha256 } from "./engine-fixture.js";

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
    expect(existsSync(join(engine.options.dir, "work", job.id))).toBe(false);
  });
});
