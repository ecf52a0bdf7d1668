import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { deferred, waitFor } from "../../support/wait.js";
import { FakeTables } from "../facade/fake-engine.js";
import { startRoutes, TOKEN } from "./routes-host.js";

const PATHS: ReadonlyArray<readonly [method: string, path: string]> = [
  ["GET", "/replication/tasks"],
  ["POST", "/replication/tasks"],
  ["GET", "/replication/tasks/users"],
  ["PATCH", "/replication/tasks/users"],
  ["DELETE", "/replication/tasks/users"],
  ["POST", "/replication/tasks/users/run"],
  ["POST", "/replication/tasks/users/verify"],
  ["GET", "/replication/status"],
  ["POST", "/query"],
];

describe("the routes of tables", () => {
  it.each(PATHS)("want the token: %s %s", async (method, path) => {
    const { call, tables } = await startRoutes();
    const wrong = ["", "Bearer", "Bearer ", `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN}x`, `Bearer ${TOKEN} ${TOKEN}`];
    for (const authorization of wrong) {
      const { status, body, headers } = await call(method, path, method === "GET" ? undefined : {}, { authorization });
      expect([status, body.code, headers.get("www-authenticate")]).toEqual([401, "UNAUTHORIZED", "Bearer"]);
      expect(headers.get("cache-control")).toBe("no-store");
    }
    expect(await tables.tasks()).toHaveLength(1);
  });

  it("do not exist without a token that can be sent", () => {
    const tables = new FakeTables().replication();
    for (const token of [undefined, "", " ", "a b", 5]) {
      expect(() => tables.routes({ token } as never)).toThrow(/token must be .*crypto.randomBytes/);
    }
    expect(() => tables.routes(undefined as never)).toThrow(/token must be/);
    expect(() => tables.routes({ token: TOKEN, basePath: "x" })).toThrow(/basePath must be a path/);
  });

  it("say which methods a path has, and leave other paths to the host", async () => {
    const { call, host } = await startRoutes();
    for (const [method, path, allow] of [
      ["PUT", "/replication/tasks", "GET, POST"],
      ["POST", "/replication/tasks/users", "GET, PATCH, DELETE"],
      ["GET", "/replication/tasks/users/run", "POST"],
      ["GET", "/query", "POST"],
      ["constructor", "/query", "POST"],
    ] as const) {
      const { status, headers, body } = await call(method, path).catch(() => ({
        status: 0,
        headers: null,
        body: null,
      }));
      // Node's own parser refuses a method that HTTP does not have.
      if (method === "constructor") expect([0, 400, 405]).toContain(status);
      else expect([status, headers?.get("allow"), body?.code]).toEqual([405, allow, "METHOD_NOT_ALLOWED"]);
    }
    expect(await (await fetch(`${host.origin}/mine`)).text()).toBe("the host's own");
    expect((await call("GET", "/replication/elsewhere")).status).toBe(404);
    expect((await call("HEAD", "/replication/tasks")).status).toBe(200);
  });

  it("stand below basePath", async () => {
    const { call } = await startRoutes({ basePath: "/admin" });
    expect((await call("GET", "/admin/replication/tasks")).status).toBe(200);
    expect((await call("GET", "/replication/tasks")).status).toBe(404);
  });

  it("make, show, change and remove tasks", async () => {
    const { call } = await startRoutes();
    const made = await call("POST", "/replication/tasks", {
      sourceTable: "sales.orders",
      targetTable: "orders",
      columns: ["id", "total"],
      intervalSeconds: 60,
      numeric: "text",
    });
    expect(made.status).toBe(201);
    expect(Object.keys(made.body).sort()).toEqual(
      [
        ...["id", "source", "sourceTable", "targetTable", "columns", "cursorColumn", "mode", "intervalSeconds"],
        ...["batchSize", "deletes", "state", "cursor", "lastRun", "nextRunAt", "numeric"],
      ].sort(),
    );
    const path = `/replication/tasks/${made.body.id}`;
    const { body: listed } = await call("GET", "/replication/tasks");
    expect(listed.tasks.map(({ targetTable }: { targetTable: string }) => targetTable)).toEqual(["users", "orders"]);
    expect((await call("GET", path)).body).toMatchObject({ id: made.body.id, columns: ["id", "total"] });
    const paused = await call("PATCH", path, { paused: true, batchSize: 10 });
    expect([paused.status, paused.body.state, paused.body.batchSize]).toEqual([200, "paused", 10]);
    expect((await call("POST", `${path}/run`)).status).toBe(409);
    const gone = await call("DELETE", path);
    expect([gone.status, gone.body, gone.headers.get("cache-control")]).toEqual([204, null, "no-store"]);
    expect((await call("GET", path)).body).toMatchObject({
      code: "UNKNOWN_TASK",
      error: expect.stringMatching(/lists/),
    });
    expect((await call("DELETE", path)).status).toBe(404);
  });

  it.each([
    [{}, /^sourceTable must be a name/],
    [{ sourceTable: 5 }, /^sourceTable must be a name/],
    [{ sourceTable: "a\u0000b" }, /^sourceTable must be a name/],
    [{ sourceTable: "x".repeat(600) }, /^sourceTable must be a name/],
    [{ sourceTable: "a", sourceTabel: "b" }, /^sourceTabel is unknown: did you mean "sourceTable"/],
    [{ sourceTable: "a", id: "x" }, /^id is unknown/],
    [{ sourceTable: "a", source: "other" }, /^source "other" is unknown: known: "main"/],
    [{ sourceTable: "a", targetTable: "replication_tasks" }, /^targetTable begins with/],
    [{ sourceTable: "a", columns: [] }, /^columns must be a list/],
    [{ sourceTable: "a", columns: "id" }, /^columns must be a list/],
    [{ sourceTable: "a", mode: "stream" }, /^mode must be/],
    [{ sourceTable: "a", deletes: "yes" }, /^deletes must be/],
    [{ sourceTable: "a", intervalSeconds: 0 }, /^intervalSeconds must be a whole number of seconds from 1/],
    [{ sourceTable: "a", intervalSeconds: "60" }, /^intervalSeconds must be/],
    [{ sourceTable: "a", batchSize: 1e9 }, /^batchSize must be/],
  ])("name the field of a task that cannot be: %j", async (body, error) => {
    const { call } = await startRoutes();
    const answer = await call("POST", "/replication/tasks", body);
    expect(answer).toMatchObject({ status: 400, body: { code: "INVALID_TASK", error: expect.stringMatching(error) } });
  });

  it.each([
    ["", /must be JSON/],
    ["{", /must be JSON/],
    ['{"sourceTable": NaN}', /must be JSON/],
    ["[]", /must be a JSON object/],
    ["null", /must be a JSON object/],
    ['"x"', /must be a JSON object/],
    ['{"sourceTable":"a","__proto__":{"batchSize":1}}', /^__proto__ is unknown/],
    ['{"sourceTable":"a","intervalSeconds":1e999}', /^intervalSeconds must be .* got Infinity/],
  ])("refuse the body %j", async (body, error) => {
    const { call } = await startRoutes();
    const answer = await call("POST", "/replication/tasks", body);
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(error) } });
    if (body !== "") expect((await call("PATCH", "/replication/tasks/users", body)).status).toBe(400);
    expect((await call("GET", "/replication/tasks")).body.tasks).toHaveLength(1);
  });

  it("refuse a body that is no UTF-8, or larger than 1 MiB, announced or not", async () => {
    const { call, host } = await startRoutes();
    const big = `{"sourceTable":"${"x".repeat(1024 * 1024)}"}`;
    expect(await call("POST", "/replication/tasks", big)).toMatchObject({
      status: 413,
      body: { code: "BODY_TOO_LARGE" },
    });
    const send = (body: ReadableStream | Uint8Array): Promise<Response> =>
      fetch(`${host.origin}/query`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}` },
        body,
        duplex: "half",
      } as RequestInit);
    const stream = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 20; part += 1) controller.enqueue(new Uint8Array(65_536).fill(32));
        controller.close();
      },
    });
    expect((await send(stream)).status).toBe(413);
    expect((await send(new Uint8Array([0x7b, 0xff, 0x7d]))).status).toBe(400);
  });

  it("refuse a target that is taken, and tell what the source has against a table", async () => {
    const { call, fake } = await startRoutes();
    expect(await call("POST", "/replication/tasks", { sourceTable: "Users" })).toMatchObject({
      status: 409,
      body: { code: "TARGET_TAKEN" },
    });
    for (const [code, status, error] of [
      ["TABLE_MISSING", 400, /^sourceTable: /],
      ["UNMAPPABLE_TYPE", 400, /^columns: /],
      ["SOURCE_UNREACHABLE", 502, /because\. Mend it\./],
      ["MISSING_DRIVER", 503, /because/],
      ["LOCAL_DATABASE", 503, /because/],
    ] as const) {
      fake.script.add = () => {
        throw new ReplicaError(code, "because", { hint: "Mend it." });
      };
      const answer = await call("POST", "/replication/tasks", { sourceTable: "orders" });
      expect(answer).toMatchObject({ status, body: { code, error: expect.stringMatching(error) } });
    }
  });

  it("name the field of a change that cannot be", async () => {
    const { call } = await startRoutes();
    for (const [body, error] of [
      [{ paused: "yes" }, /^paused must be true or false/],
      [{ pause: true }, /^pause is unknown: did you mean "paused"/],
      [{ mode: "full" }, /^mode is unknown/],
      [{ intervalSeconds: -1 }, /^intervalSeconds must be/],
      [{ batchSize: null }, /^batchSize must be/],
    ] as const) {
      const answer = await call("PATCH", "/replication/tasks/users", body);
      expect(answer).toMatchObject({
        status: 400,
        body: { code: "INVALID_TASK", error: expect.stringMatching(error) },
      });
    }
  });

  it("run a task: 200 with the run, 202 with the task where it takes longer, 502 with the run where it failed", async () => {
    const { call, fake, tables } = await startRoutes();
    const run = await call("POST", "/replication/tasks/users/run");
    expect(run).toMatchObject({ status: 200, body: { rowsPulled: 1, error: null, finishedAt: expect.any(String) } });
    const held = deferred();
    fake.script.advance = async () => {
      await held.promise;
      return {};
    };
    const started = await call("POST", "/replication/tasks/users/run?wait=0", {});
    expect(started).toMatchObject({ status: 202, body: { targetTable: "users", state: "running" } });
    expect((await call("POST", "/replication/tasks/users/run?wait=0.05")).status).toBe(202);
    held.resolve();
    await waitFor(async () => (await tables.task("users")).state === "idle");
    fake.script.advance = () => {
      throw new ReplicaError("SOURCE_REFUSED", "main: password authentication failed", { hint: "Check the URL." });
    };
    expect(await call("POST", "/replication/tasks/users/run")).toMatchObject({
      status: 502,
      body: {
        code: "SOURCE_REFUSED",
        error: "main: password authentication failed. Check the URL.",
        run: { taskId: expect.any(String), error: { code: "SOURCE_REFUSED" } },
      },
    });
    for (const wait of ["", "-1", "x", "1e3", "99999999999", "1;DROP"]) {
      expect((await call("POST", `/replication/tasks/users/run?wait=${encodeURIComponent(wait)}`)).status).toBe(400);
    }
    expect((await call("POST", "/replication/tasks/users/run?wiat=1")).body.error).toMatch(/did you mean "wait"/);
    expect((await call("POST", "/replication/tasks/users/run", { full: true })).status).toBe(400);
    expect((await call("POST", "/replication/tasks/nobody/run")).status).toBe(404);
  });

  it("leave a run alone whose caller has left", async () => {
    const { fake, host, tables } = await startRoutes();
    await tables.runTask("users");
    const held = deferred();
    fake.script.advance = async () => {
      await held.promise;
      return { rowsPulled: 42 };
    };
    const caller = new AbortController();
    const before = fake.units.length;
    const asked = fetch(`${host.origin}/replication/tasks/users/run`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: caller.signal,
    });
    asked.catch(() => {});
    await waitFor(() => fake.units.length > before);
    caller.abort();
    await waitFor(() => host.connections.open === 0);
    held.resolve();
    await waitFor(async () => (await tables.task("users")).lastRun?.rowsPulled === 42);
  });

  it("verify and repair", async () => {
    const { call, fake } = await startRoutes();
    const path = "/replication/tasks/users/verify";
    expect((await call("POST", path)).body).toEqual({ equal: true, missing: 0, extra: 0, different: 0, repaired: 0 });
    expect((await call("POST", path, { repair: true })).body).toMatchObject({ equal: false, repaired: 1 });
    expect((await call("POST", path, { repair: "yes" })).body.error).toMatch(/^repair must be true or false/);
    expect((await call("POST", path, { repare: true })).body.error).toMatch(/did you mean "repair"/);
    fake.script.verify = () => {
      throw new ReplicaError("TABLE_MISSING", "users is gone");
    };
    expect(await call("POST", path)).toMatchObject({ status: 502, body: { code: "TABLE_MISSING" } });
  });

  it("end a verification whose caller has left", async () => {
    const { fake, host, tables } = await startRoutes();
    await tables.runTask("users");
    const begun = deferred<AbortSignal>();
    const ended = deferred();
    fake.script.verify = async (_, signal) => {
      begun.resolve(signal);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended.resolve();
      signal.throwIfAborted();
    };
    const caller = new AbortController();
    const asked = fetch(`${host.origin}/replication/tasks/users/verify`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: caller.signal,
    });
    asked.catch(() => {});
    expect((await begun.promise).aborted).toBe(false);
    caller.abort();
    await ended.promise;
  });

  it("show the state and freshness of tasks, and the host's collections", async () => {
    const { call, tables } = await startRoutes({ collections: () => [{ name: "posts" }] });
    await tables.runTask("users");
    expect((await call("GET", "/replication/status")).body).toMatchObject({
      collections: [{ name: "posts" }],
      tasks: [{ targetTable: "users", state: "idle", stalenessMs: expect.any(Number), consecutiveFailures: 0 }],
    });
  });

  it("answer 503 while it is not running", async () => {
    const { call, tables } = await startRoutes();
    await tables.stop();
    expect(await call("GET", "/replication/tasks")).toMatchObject({ status: 503, body: { code: "STOPPED" } });
  });
});
