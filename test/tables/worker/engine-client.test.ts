import { beforeAll, describe, expect, it } from "vitest";
import { ConfigurationError, ReplicaError } from "../../../src/errors.js";
import type { ProgressHandler, TableEngine, TableProgress } from "../../../src/tables/copy/table-engine.js";
import { createWorkerEngine, type WorkerEngineOptions } from "../../../src/tables/worker/engine-client.js";
import { atEnd } from "../../support/at-end.js";
import { buildOnce, buildSnippet } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { waitFor } from "../../support/wait.js";

let entry: string;
beforeAll(async () => {
  entry = await buildOnce("test/tables/worker/fake-engine-worker.ts");
});

function start(
  database = "x.db",
  onProgress: ProgressHandler = () => {},
  options: WorkerEngineOptions = {},
): TableEngine {
  const engine = createWorkerEngine(
    { database, sources: {}, intervalSeconds: 300, lagSeconds: 5, concurrency: 4 },
    onProgress,
    {
      entry,
      ...options,
    },
  );
  atEnd(() => engine.close().catch(() => {}));
  return engine;
}

const failure = (promise: Promise<unknown>): Promise<ReplicaError> =>
  promise.then(
    () => Promise.reject(new Error("It did not fail.")),
    (error) => error,
  );

describe("createWorkerEngine", () => {
  it("hands options, arguments and results across", async () => {
    const engine = start("some.db");
    await expect(engine.open()).resolves.toEqual([{ id: "opened" }]);
    await expect(engine.task("database")).resolves.toEqual({ id: "some.db" });
    await expect(engine.updateTask("7", { paused: true })).resolves.toEqual({ id: '7:{"paused":true}' });
    await expect(engine.removeTask("7")).resolves.toBeUndefined();
    await expect(engine.addTask({ sourceTable: "t" }, new AbortController().signal)).resolves.toEqual({ id: "t" });
  });

  it("opens the engine by itself before the first call, once", async () => {
    const engine = start();
    const answers = await Promise.all([engine.task("opens"), engine.task("opens"), engine.task("opens")]);
    expect(answers).toEqual([{ id: "1" }, { id: "1" }, { id: "1" }]);
  });

  it("tells why opening failed, and tries again with the next call", async () => {
    const engine = start("broken");
    await expect(engine.open()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    await expect(engine.task("opens")).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
  });

  it("answers many calls at once, each with its own result", async () => {
    const engine = start();
    const ids = Array.from({ length: 2_000 }, (_, index) => `t${index}`);
    const answers = await Promise.all(
      ids.map((sourceTable) => engine.ensureTask({ sourceTable }, new AbortController().signal)),
    );
    expect(answers).toEqual(ids.map((id) => ({ id })));
  });

  it("passes progress on, and turns what its handler throws into a warning", async () => {
    const seen: TableProgress[] = [];
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.message);
    process.on("warning", note);
    atEnd(() => process.removeListener("warning", note));
    const engine = start("x.db", (progress) => {
      seen.push(progress);
      throw new Error("bad handler");
    });
    await expect(engine.advance("7", "requested", new AbortController().signal)).resolves.toMatchObject({
      changed: true,
    });
    expect(seen).toEqual([{ taskId: "7", targetTable: "requested", phase: "copy", rowsDone: 5, rowsEstimated: null }]);
    await waitFor(() => warnings.includes("bad handler"));
  });
});

describe("errors of the worker", () => {
  it("come as what they were", async () => {
    const error = await failure(start().task("ours"));
    expect(error).toBeInstanceOf(ReplicaError);
    expect(error).toMatchObject({
      code: "SOURCE_UNREACHABLE",
      message: "down",
      hint: "start it",
      retryable: true,
      retryAfterMs: 5,
      status: 503,
    });
    expect((error.cause as Error).message).toContain("ECONNREFUSED");
    expect(error.stack).toContain("fake-engine-worker");
  });

  it("keep the mistakes of a configuration", async () => {
    const error = await failure(start().task("configuration"));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code: "INVALID_CONFIGURATION", mistakes: ["a", "b"] });
  });

  it.each([
    ["throw", /a plain mistake/],
    ["throw nothing much", /a string/],
    ["function", /could not be cloned/],
  ])("are WORKER_FAILED with the message where they are not ours: %s", async (order, message) => {
    const engine = start();
    const error = await failure(engine.task(order));
    expect(error).toMatchObject({ code: "WORKER_FAILED", retryable: true });
    expect(error.message).toMatch(message);
    expect((error.cause as Error).message).toMatch(message);
    await expect(engine.task("opens")).resolves.toEqual({ id: "1" });
  });

  it("refuse arguments that cannot cross", async () => {
    const engine = start();
    const change = { paused: (() => true) as unknown as boolean };
    await expect(engine.updateTask("7", change)).rejects.toMatchObject({ code: "WORKER_FAILED" });
  });
});

describe("an aborted call", () => {
  it("rejects with the signal's reason itself", async () => {
    const engine = start();
    const abort = new AbortController();
    const call = failure(engine.advance("wait", "start", abort.signal));
    await engine.task("opens");
    const reason = new ReplicaError("RUN_TIMEOUT", "too late");
    abort.abort(reason);
    expect(await call).toBe(reason);
  });

  it("rejects with what the worker made of it", async () => {
    const engine = start();
    const abort = new AbortController();
    const call = engine.advance("other", "start", abort.signal);
    await engine.task("opens");
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: "SOURCE_FAILED" });
  });

  it("does not wait for ever for a worker that does not answer", async () => {
    const engine = start("x.db", () => {}, { abortGraceMs: 50 });
    const abort = new AbortController();
    const call = failure(engine.advance("deaf", "start", abort.signal));
    await engine.task("opens");
    const reason = new Error("stop");
    abort.abort(reason);
    expect(await call).toBe(reason);
    await expect(engine.task("opens")).resolves.toEqual({ id: "1" });
  });

  it("is not started when the signal has aborted before", async () => {
    const reason = new Error("stop");
    expect(await failure(start().advance("7", "start", AbortSignal.abort(reason)))).toBe(reason);
  });
});

describe("a worker that dies", () => {
  it.each([
    ["crash", /nobody caught this/],
    ["rejection", /nobody awaited this/],
    ["exit", /exit code 7/],
  ])("rejects everything under way, and the next call starts and opens another: %s", async (order, why) => {
    const engine = start();
    await engine.open();
    const signal = new AbortController().signal;
    const [first, second] = await Promise.all([
      failure(engine.advance("wait", "start", signal)),
      failure(engine.task(order)),
    ]);
    expect(first).toMatchObject({ code: "WORKER_FAILED", retryable: true });
    expect(first.message).toMatch(why);
    expect(second).toMatchObject({ code: "WORKER_FAILED", retryable: true });
    await expect(engine.task("opens")).resolves.toEqual({ id: "1" });
  });

  it("names the file when it cannot be started", async () => {
    const engine = start("x.db", () => {}, { entry: "/nowhere/main.js" });
    await expect(engine.open()).rejects.toMatchObject({ code: "WORKER_FAILED", message: /\/nowhere\/main\.js/ });
  });
});

describe("close", () => {
  it("rejects what is under way and every later call with STOPPED", async () => {
    const engine = start();
    await engine.open();
    const pending = failure(engine.task("hang"));
    await engine.close();
    await engine.close();
    expect(await pending).toMatchObject({ code: "STOPPED" });
    await expect(engine.open()).rejects.toMatchObject({ code: "STOPPED" });
    await expect(engine.task("opens")).rejects.toMatchObject({ code: "STOPPED" });
  });

  it("refuses calls that come while it is closing", async () => {
    const engine = start();
    const early = failure(engine.task("opens"));
    const closing = engine.close();
    await expect(engine.task("opens")).rejects.toMatchObject({ code: "STOPPED" });
    await closing;
    expect(await early).toMatchObject({ code: "STOPPED" });
  });

  it("ends a worker that does not answer", async () => {
    const engine = start("slow to close", () => {}, { closeGraceMs: 50 });
    await engine.open();
    await expect(engine.close()).resolves.toBeUndefined();
  });

  it("tells what went wrong in the engine's own close", async () => {
    const engine = start("bad at closing");
    await engine.open();
    await expect(engine.close()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
  });

  it("needs no worker", async () => {
    await expect(start().close()).resolves.toBeUndefined();
  });
});

describe("the process of the caller", () => {
  const program = (body: string) => `
    import { createWorkerEngine } from "./src/tables/worker/engine-client.js";
    const entry = process.argv[2];
    const engine = createWorkerEngine({ database: "x.db", sources: {}, intervalSeconds: 1, lagSeconds: 1 }, () => {}, { entry });
    ${body}
  `;

  it("ends by itself after close, and also without it", async () => {
    for (const body of ["await engine.open(); await engine.close();", "await engine.open();"]) {
      const child = spawnNode(await buildSnippet(program(`${body} console.log("done");`)), [entry]);
      await child.waitForLine(/done/);
      expect(await child.exited).toEqual({ code: 0, signal: null });
    }
  });

  it("stays while a call is under way", async () => {
    const child = spawnNode(await buildSnippet(program('console.log(JSON.stringify(await engine.task("block")));')), [
      entry,
    ]);
    await child.waitForLine(/"timed-out"/);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it("may be a program that node got as text", async () => {
    const child = spawnNode("--input-type=module", [
      "-e",
      `await import(process.argv[1]);`,
      await buildSnippet(
        program("console.log((await engine.open())[0].id);").replace("process.argv[2]", JSON.stringify(entry)),
      ),
    ]);
    await child.waitForLine(/opened/);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it("survives a worker that runs out of memory", async () => {
    const body = `await engine.task("memory").catch((error) => console.log(error.code, error.hint));
      console.log((await engine.task("opens")).id);
      await engine.close();`;
    const child = spawnNode(await buildSnippet(program(body)), [entry], { nodeArgs: ["--max-old-space-size=64"] });
    await child.waitForLine(/WORKER_FAILED .*memory/, 20_000);
    await child.waitForLine(/^1$/);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });
});
