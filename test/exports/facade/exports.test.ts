import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { ExportJob } from "../../../src/exports/export-job.js";
import { EXPORT_EVENTS } from "../../../src/exports/index.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { deferred, waitFor } from "../../support/wait.js";
import { FakeExports } from "./fake-exports.js";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

describe("Exports, their start and stop", () => {
  it("open nothing before start, and once however often that is called", async () => {
    const fake = new FakeExports();
    const exports = fake.exports();
    expect(fake.engines).toHaveLength(0);
    await Promise.all([exports.start(), exports.start()]);
    await exports.start();
    expect(fake.engines).toHaveLength(1);
  });

  it("answer STOPPED before the start, while starting and after the stop, and start again", async () => {
    const fake = new FakeExports();
    const opening = deferred();
    fake.script.open = () => opening.promise;
    const exports = fake.exports();
    const all = (): Promise<unknown>[] => [
      exports.startJob(),
      exports.job("x"),
      exports.jobs(),
      exports.removeJob("x"),
      exports.finished("x"),
      exports.download("x"),
      exports.stream(),
    ];
    const refuse = async () => {
      for (const ask of all()) await expect(ask).rejects.toMatchObject({ code: "STOPPED" });
    };
    await refuse();
    const starting = exports.start();
    await refuse();
    opening.resolve();
    await starting;
    const job = await exports.startJob();
    await exports.stop();
    await exports.stop();
    expect(fake.engines[0]?.closed).toBe(true);
    await refuse();
    await exports.start();
    expect((await exports.job(job.id)).id).toBe(job.id);
  });

  it("leave nothing open where the start fails, and may be started again", async () => {
    const fake = new FakeExports();
    fake.script.open = () => {
      throw new ReplicaError("LOCAL_DATABASE", "another process has the folder");
    };
    const exports = fake.exports();
    await expect(exports.start()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    expect(fake.engines[0]?.closed).toBe(true);
    delete fake.script.open;
    await exports.start();
    expect(await exports.jobs()).toEqual([]);
  });

  it("say so where the books cannot be closed, and may be stopped and started again", async () => {
    const fake = new FakeExports();
    const exports = fake.exports();
    await exports.start();
    fake.script.close = () => {
      throw new ReplicaError("LOCAL_DATABASE", "the disk is gone");
    };
    await expect(exports.stop()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    await exports.stop();
    await exports.start();
    expect(await exports.jobs()).toEqual([]);
    await expect(exports.stop()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    fake.script.open = () => {
      throw new ReplicaError("MISSING_DRIVER", "no driver");
    };
    // Why it did not start, and not what came of that.
    for (let round = 0; round < 2; round += 1)
      await expect(exports.start()).rejects.toMatchObject({ code: "MISSING_DRIVER" });
    delete fake.script.open;
    delete fake.script.close;
    await exports.start();
    expect(await exports.jobs()).toEqual([]);
  });

  it("may be stopped while they start, and refuse a start while they stop", async () => {
    const fake = new FakeExports();
    const opening = deferred();
    fake.script.open = () => opening.promise;
    const exports = fake.exports();
    const starting = exports.start();
    const stopping = exports.stop();
    await expect(exports.start()).rejects.toMatchObject({ code: "STOPPED" });
    opening.resolve();
    await Promise.all([starting, stopping]);
    await expect(exports.jobs()).rejects.toMatchObject({ code: "STOPPED" });
    await exports.start();
    expect(await exports.jobs()).toEqual([]);
  });

  it("sweep what streams of a killed process left, but not before the folder is theirs", async () => {
    const dir = tempDir();
    const left = join(dir, "streams", "copy.db");
    mkdirSync(join(dir, "streams"));
    writeFileSync(left, "x");
    const fake = new FakeExports();
    fake.script.open = () => {
      throw new ReplicaError("LOCAL_DATABASE", "another process has the folder");
    };
    const exports = fake.exports({ dir });
    await exports.start().catch(() => {});
    expect(existsSync(left)).toBe(true);
    delete fake.script.open;
    await exports.start();
    expect(existsSync(left)).toBe(false);
  });
});

describe("Exports, their jobs", () => {
  it("hand a request on with its defaults", async () => {
    const fake = new FakeExports();
    const exports = fake.exports({ callbacks: { secret: SECRET } });
    await exports.start();
    await exports.startJob();
    await exports.startJob({ format: "csv", tables: ["users"], callbackUrl: "https://example.com/hook" });
    expect(fake.requests).toEqual([
      { format: "sql", tables: null, callbackUrl: null },
      { format: "csv", tables: ["users"], callbackUrl: "https://example.com/hook" },
    ]);
    expect((await exports.jobs()).map(({ format }) => format)).toEqual(["csv", "sql"]);
  });

  it.each<[object | null, string, RegExp]>([
    [{ format: "xml" }, "INVALID_EXPORT", /^format must be one of sql, csv, json, ndjson, got "xml"/],
    [{ format: "jsn" }, "INVALID_EXPORT", /did you mean "json"\?/],
    [{ format: null }, "INVALID_EXPORT", /^format must be/],
    [{ format: "toString" }, "INVALID_EXPORT", /^format must be/],
    [{ tables: "users" }, "INVALID_EXPORT", /^tables must be a list/],
    [{ tables: [] }, "INVALID_EXPORT", /^tables must name at least one/],
    [{ tables: ["a", 5] }, "INVALID_EXPORT", /^tables\[1\] must be the name/],
    [{ format: "csv" }, "INVALID_EXPORT", /^tables must name exactly one table/],
    [{ format: "csv", tables: ["a", "b"] }, "INVALID_EXPORT", /^tables must name exactly one table/],
    [{ table: "users" }, "INVALID_EXPORT", /^table is unknown: did you mean "tables"\?/],
    [{ format: 1, tables: 2 }, "INVALID_EXPORT", /^format .*; tables /],
    [null, "INVALID_EXPORT", /must be an object/],
    [["sql"], "INVALID_EXPORT", /must be an object/],
    [{ callbackUrl: 5 }, "INVALID_EXPORT", /^callbackUrl must be a URL/],
    [{ callbackUrl: "http://169.254.169.254/hunter2" }, "CALLBACK_REFUSED", /^callbackUrl must/],
    [{ callbackUrl: "https://127.0.0.1/hunter2" }, "CALLBACK_REFUSED", /^callbackUrl must/],
    [{ callbackUrl: "https://user:hunter2@example.com/" }, "CALLBACK_REFUSED", /^callbackUrl must/],
  ])("refuse %j", async (request, code, message) => {
    const fake = new FakeExports();
    const exports = fake.exports({ callbacks: { secret: SECRET } });
    await exports.start();
    const error = await exports.startJob(request as never).catch((thrown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.any(String) });
    expect(error.message).not.toContain("hunter2");
    expect(fake.requests).toEqual([]);
  });

  it("say the first mistakes of a request that is full of them", async () => {
    const exports = new FakeExports().exports();
    await exports.start();
    const tables = new Array<never>(400_000).fill(1 as never);
    await expect(exports.startJob({ tables })).rejects.toMatchObject({
      code: "INVALID_EXPORT",
      message: expect.stringMatching(/^tables\[0\] [^;]*(; tables\[\d\] [^;]*){9}$/),
    });
  });

  it("take no callback where none are set up", async () => {
    const exports = new FakeExports().exports();
    await exports.start();
    const job = exports.startJob({ callbackUrl: "https://example.com/" });
    await expect(job).rejects.toMatchObject({
      code: "INVALID_EXPORT",
      message: expect.stringMatching(/^callbackUrl /),
    });
    expect((await exports.startJob({ callbackUrl: null, tables: null })).callback).toBeNull();
  });

  it("know no job by what is no id", async () => {
    const exports = new FakeExports().exports();
    await exports.start();
    for (const id of ["", "x".repeat(100_000), 5, null, undefined, {}, "../../etc/passwd", "\0"])
      for (const method of ["job", "removeJob", "download", "finished"] as const)
        await expect(exports[method](id as never)).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
  });

  it("tell progress to the handler and the channel, and nothing after the stop", async () => {
    const fake = new FakeExports();
    const told: ExportJob[] = [];
    const published: unknown[] = [];
    const listener = (job: unknown): void => void published.push(job);
    subscribe(EXPORT_EVENTS, listener);
    atEnd(() => unsubscribe(EXPORT_EVENTS, listener));
    const exports = fake.exports({ onProgress: (job) => void told.push(job) });
    await exports.start();
    const { id } = await exports.startJob();
    const running = fake.become(id, { state: "running" });
    await exports.stop();
    fake.engines[0]?.onJob(running);
    expect(EXPORT_EVENTS).toBe("starfish-replica:exports");
    expect(told).toEqual([running]);
    expect(published).toEqual([running]);
  });

  it("turn what a handler throws into a warning, also later", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    atEnd(() => warn.mockRestore());
    for (const onProgress of [
      () => {
        throw new Error("now");
      },
      async () => {
        throw new Error("now");
      },
    ]) {
      const fake = new FakeExports();
      const exports = fake.exports({ onProgress });
      await exports.start();
      const { id } = await exports.startJob();
      fake.become(id, { state: "running" });
      await waitFor(() => warn.mock.calls.length === 1);
      expect(String(warn.mock.calls[0]?.[0])).toContain("now");
      warn.mockClear();
    }
  });
});

describe("finished", () => {
  it("resolves with the job that has completed, or failed, at once where it has", async () => {
    const fake = new FakeExports();
    const exports = fake.exports();
    await exports.start();
    const one = await exports.startJob();
    const two = await exports.startJob();
    const both = Promise.all([exports.finished(one.id), exports.finished(two.id)]);
    fake.complete(one.id, Buffer.from("x"));
    fake.become(two.id, { state: "failed", error: { code: "LOCAL_DATABASE", message: "disk" } });
    expect((await both).map(({ state }) => state)).toEqual(["completed", "failed"]);
    expect((await exports.finished(two.id)).error?.code).toBe("LOCAL_DATABASE");
  });

  it("notices also what nobody told", async () => {
    const fake = new FakeExports();
    const exports = fake.exports();
    await exports.start();
    const { id } = await exports.startJob();
    const finished = exports.finished(id);
    const engine = fake.engines[0];
    if (engine) engine.onJob = () => {};
    fake.complete(id, Buffer.from("x"));
    expect((await finished).state).toBe("completed");
  });

  it("outlives a thread that ends, but not one that ends every time", async () => {
    const fake = new FakeExports();
    const exports = fake.exports();
    await exports.start();
    const { id } = await exports.startJob();
    let failures = 0;
    fake.script.look = () => {
      failures += 1;
      if (failures < 3) throw new ReplicaError("WORKER_FAILED", "ended", { retryable: true });
    };
    const finished = exports.finished(id);
    await waitFor(() => failures === 1);
    fake.complete(id, Buffer.from("x"));
    expect((await finished).state).toBe("completed");
    fake.script.look = () => {
      throw new ReplicaError("WORKER_FAILED", "ended", { retryable: true });
    };
    await expect(exports.finished(id)).rejects.toMatchObject({ code: "WORKER_FAILED" });
  });

  it("ends with the signal, with the job's removal and with the stop", async () => {
    const exports = new FakeExports().exports();
    await exports.start();
    const { id } = await exports.startJob();
    const gone = new AbortController();
    const aborted = exports.finished(id, { signal: gone.signal });
    gone.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    const removed = exports.finished(id);
    await exports.removeJob(id);
    await expect(removed).rejects.toMatchObject({ code: "UNKNOWN_JOB" });
    const other = await exports.startJob();
    const stopped = exports.finished(other.id);
    stopped.catch(() => {});
    await exports.stop();
    await expect(stopped).rejects.toMatchObject({ code: "STOPPED" });
  });
});
