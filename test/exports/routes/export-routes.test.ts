import { parse as parseDisposition } from "content-disposition";
import { beforeEach, describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { Exports } from "../../../src/exports/index.js";
import { FakeExports } from "../facade/fake-exports.js";
import { type Answer, type ExportHost, startExportHost } from "./export-host.js";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

describe("the routes of exports", () => {
  let fake: FakeExports;
  let exports: Exports;
  let call: ExportHost["call"];

  beforeEach(async () => {
    fake = new FakeExports();
    exports = fake.exports({ maxStreams: 1, callbacks: { secret: SECRET } });
    await exports.start();
    ({ call } = await startExportHost(exports));
  });

  const post = (body?: unknown): Promise<Answer> => call("POST", "/export/dump", {}, body);

  it("ask for the token, everywhere and before anything else", async () => {
    for (const [method, path] of [
      ["POST", "/export/dump"],
      ["GET", "/export/dump"],
      ["GET", "/export/jobs"],
      ["GET", "/export/dump/x"],
      ["DELETE", "/export/dump/x"],
      ["GET", "/export/dump/x/download"],
      ["GET", "/export/json/users"],
      ["GET", "/export/csv/users"],
      ["HEAD", "/export/csv/users"],
      ["PUT", "/export/dump"],
    ] as const)
      for (const authorization of ["", "Bearer wrong", "Basic correct-horse-battery"])
        expect([method, path, (await call(method, path, { authorization })).status]).toEqual([method, path, 401]);
    expect(fake.dumps).toEqual([]);
    expect(fake.requests).toEqual([]);
  });

  it("take a job in with 202, its place and exactly the fields of the control API", async () => {
    const { status, headers, json } = await post({
      format: "ndjson",
      tables: ["users"],
      callbackUrl: "https://example.com/hook",
    });
    expect(status).toBe(202);
    expect(json).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      state: "queued",
      format: "ndjson",
      tables: ["users"],
      progress: { tablesDone: 0, tablesTotal: null, rowsDone: 0, bytesWritten: 0 },
      createdAt: expect.stringMatching(/Z$/),
      finishedAt: null,
      error: null,
      artifact: null,
      callback: { url: "https://example.com/hook", state: "waiting", attempts: 0 },
    });
    expect(headers.get("location")).toBe(`/export/dump/${json.id}`);
    expect(headers.get("cache-control")).toBe("no-store");
    expect((await call("GET", headers.get("location") ?? "")).json).toEqual(json);
    expect((await post()).json).toMatchObject({ format: "sql", tables: null, callback: null });
    expect((await call("GET", "/export/jobs")).json.jobs).toHaveLength(2);
  });

  it("say where a job is under any prefix", async () => {
    const { call: mounted } = await startExportHost(exports, "/a", "/b");
    const { status, headers } = await mounted("POST", "/a/b/export/dump?x#y");
    expect(status).toBe(202);
    expect(headers.get("location")).toMatch(/^\/a\/b\/export\/dump\/[0-9a-f-]{36}$/);
    expect((await mounted("GET", headers.get("location") ?? "")).status).toBe(200);
  });

  it.each<[unknown, string, RegExp]>([
    [{ fromat: "sql" }, "INVALID_EXPORT", /^fromat is unknown: did you mean "format"\?/],
    [{ format: "sqlite" }, "INVALID_EXPORT", /^format must be one of/],
    [{ tables: {} }, "INVALID_EXPORT", /^tables must be a list/],
    [{ tables: [{}] }, "INVALID_EXPORT", /^tables\[0\] must/],
    [{ format: "csv" }, "INVALID_EXPORT", /^tables must name exactly one/],
    [{ callbackUrl: "ftp://example.com" }, "CALLBACK_REFUSED", /^callbackUrl must/],
    [{ callbackUrl: "https://10.0.0.1/" }, "CALLBACK_REFUSED", /^callbackUrl must/],
    ["[]", "INVALID_REQUEST", /object/],
    ["nonsense", "INVALID_REQUEST", /JSON/],
    [`{"__proto__":{"format":"csv"}}`, "INVALID_EXPORT", /^__proto__ is unknown/],
  ])("refuse a job of %j with 400 naming the field", async (body, code, message) => {
    const { status, json } = await post(body);
    expect([status, json.code, Object.keys(json)]).toEqual([400, code, ["error", "code"]]);
    expect(json.error).toMatch(message);
    expect(fake.requests).toEqual([]);
  });

  it("refuse a job of a table that is not there with 400, and a body that is too large with 413", async () => {
    fake.script.start = () => {
      throw new ReplicaError("TABLE_MISSING", 'There is no table "x" to export.');
    };
    expect(await post({ tables: ["x"] })).toMatchObject({
      status: 400,
      json: { code: "TABLE_MISSING", error: expect.stringMatching(/^tables: There is no/) },
    });
    expect((await post({ tables: ["x".repeat(2_000_000)] })).status).toBe(413);
  });

  it("answer 503 with Retry-After while as much is under way as may be", async () => {
    fake.script.start = () => {
      throw new ReplicaError("EXPORT_BUSY", "100 jobs are waiting");
    };
    const job = await post();
    expect([job.status, job.json.code, job.headers.get("retry-after")]).toEqual([503, "EXPORT_BUSY", "10"]);
    const held = await exports.stream();
    const stream = await call("GET", "/export/dump");
    expect([stream.status, stream.json.code, stream.headers.get("retry-after")]).toEqual([503, "EXPORT_BUSY", "10"]);
    await held.body.cancel();
    expect((await call("GET", "/export/dump")).status).toBe(200);
  });

  it("remove a job with 204, once", async () => {
    const { json } = await post();
    const removed = await call("DELETE", `/export/dump/${json.id}`);
    expect([removed.status, removed.bytes.length]).toEqual([204, 0]);
    for (const method of ["DELETE", "GET"])
      expect((await call(method, `/export/dump/${json.id}`)).json.code).toBe("UNKNOWN_JOB");
    expect((await call("GET", `/export/dump/${json.id}/download`)).status).toBe(404);
  });

  it.each([
    "x",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%5c%2e%2e",
    "%00",
    "%ff",
    "a%00.sql",
    "__proto__",
    "constructor",
    "*",
    "%25",
    "%F0%9F%98%80",
    "x".repeat(4_000),
    "'%20OR%20'1'='1",
  ])("know no job %s", async (id) => {
    await post();
    for (const [method, path] of [
      ["GET", `/export/dump/${id}`],
      ["HEAD", `/export/dump/${id}`],
      ["DELETE", `/export/dump/${id}`],
      ["GET", `/export/dump/${id}/download`],
      ["HEAD", `/export/dump/${id}/download`],
    ] as const)
      expect([method, (await call(method, path)).status]).toEqual([method, 404]);
    expect((await call("GET", "/export/jobs")).json.jobs).toHaveLength(1);
  });

  it("allow the methods of the control API alone", async () => {
    for (const [method, path, allow] of [
      ["PUT", "/export/dump", "GET, POST"],
      ["DELETE", "/export/dump", "GET, POST"],
      ["POST", "/export/jobs", "GET"],
      ["POST", "/export/dump/x", "GET, DELETE"],
      ["PATCH", "/export/dump/x", "GET, DELETE"],
      ["POST", "/export/dump/x/download", "GET"],
      ["POST", "/export/json/users", "GET"],
      ["OPTIONS", "/export/csv/users", "GET"],
    ] as const) {
      const { status, headers } = await call(method, path);
      expect([method, path, status, headers.get("allow")]).toEqual([method, path, 405, allow]);
    }
  });

  it("stream the database, and a table as json and csv", async () => {
    for (const [path, request, mediaType, name] of [
      ["/export/dump", { format: "sql", selection: { tables: "all", except: [] } }, "application/sql", "shop"],
      [
        "/export/dump?format=json&table=a&table=b%20c",
        { format: "json", selection: { tables: ["a", "b c"] } },
        "application/json",
        "shop",
      ],
      [
        "/export/dump?format=csv&table=a",
        { format: "csv", selection: { tables: ["a"] } },
        "text/csv; charset=utf-8; header=present",
        "a",
      ],
      ["/export/json/users", { format: "json", selection: { table: "users" } }, "application/json", "users"],
      ["/export/csv/users", { format: "csv", selection: { table: "users" } }, /^text\/csv/, "users"],
    ] as const) {
      const { status, headers, bytes } = await call("GET", path);
      expect([path, status, bytes.toString()]).toEqual([path, 200, "onetwo"]);
      expect(fake.dumps.at(-1)?.request).toEqual(request);
      expect(headers.get("content-type")).toMatch(mediaType);
      expect(headers.get("vary")).toBe("Accept-Encoding");
      expect(headers.get("cache-control")).toBe("no-store, no-transform");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      const { type, parameters } = parseDisposition(headers.get("content-disposition") ?? "");
      expect([type, parameters.filename]).toEqual([
        "attachment",
        `${name}-${new Date().toISOString().slice(0, 10)}.${request.format}`,
      ]);
    }
  });

  it.each([
    ["/export/dump?format=xml", /^format must be one of/],
    ["/export/dump?format=", /^format must be one of/],
    ["/export/dump?format=sql&format=json", /^format must be one of/],
    ["/export/dump?format=csv", /^tables must name exactly one/],
    ["/export/dump?format=csv&table=a&table=b", /^tables must name exactly one/],
    ["/export/dump?tabel=a", /^tabel is unknown: did you mean "table"\?/],
    ["/export/json/users?format=csv", /^format is unknown/],
    ["/export/csv/users?x", /^x is unknown/],
  ])("refuse %s with 400, and start no dump", async (path, message) => {
    for (const method of ["GET", "HEAD"]) expect((await call(method, path)).status).toBe(400);
    expect((await call("GET", path)).json.error).toMatch(message);
    expect(fake.dumps).toEqual([]);
  });

  it("take anything as the name of a table, and never as a path", async () => {
    for (const name of [
      "../../etc/passwd",
      "a/b",
      "a\\b",
      "a.b",
      "...",
      "50%",
      "%2f",
      "%252f",
      "a+b",
      "a b",
      "a?b#c",
      "a&b=c",
      "ünï",
      "表",
      "😀",
      "\0",
      "users\0.csv",
      "\r\nX-Evil: 1",
      '"; DROP TABLE users; --',
      "__proto__",
      "x".repeat(3_000),
    ]) {
      const path = `/export/csv/${encodeURIComponent(name)}`;
      const { status, headers } = await call("GET", path);
      expect([path, status, headers.get("x-evil")]).toEqual([path, 200, null]);
      expect(fake.dumps.at(-1)?.request.selection).toEqual({ table: name });
      await call("GET", `/export/dump?table=${encodeURIComponent(name)}`);
      expect(fake.dumps.at(-1)?.request.selection).toEqual({ tables: [name] });
    }
    // As URLs have it these are steps up and not names; they are tables by the query.
    for (const name of ["..", "."]) {
      expect((await call("GET", `/export/csv/${name}`)).status).toBe(404);
      await call("GET", `/export/dump?format=csv&table=${name}`);
      expect(fake.dumps.at(-1)?.request.selection).toEqual({ tables: [name] });
    }
  });

  it("say 404 for the table of a path that is not there, 400 for one of the query", async () => {
    fake.script.openDump = () => {
      throw new ReplicaError("TABLE_MISSING", 'There is no table "x" to export.', { hint: "Check the name." });
    };
    for (const [path, status] of [
      ["/export/json/x", 404],
      ["/export/csv/x", 404],
      ["/export/dump?table=x", 400],
    ] as const)
      expect(await call("GET", path)).toMatchObject({
        status,
        json: { code: "TABLE_MISSING", error: 'table: There is no table "x" to export. Check the name.' },
      });
  });

  it("start no dump for HEAD", async () => {
    for (const path of ["/export/dump", "/export/json/x", "/export/csv/x"]) {
      const { status, headers, bytes } = await call("HEAD", path, { "accept-encoding": "gzip" });
      expect([status, bytes.length, headers.get("content-encoding")]).toEqual([200, 0, "gzip"]);
      expect(headers.get("content-disposition")).toMatch(/^attachment/);
    }
    expect(fake.dumps).toEqual([]);
  });

  it("answer 406 where neither gzip nor the plain form is taken, and start no dump", async () => {
    const { status, json, headers } = await call("GET", "/export/dump", { "accept-encoding": "*;q=0" });
    expect([status, json.code, headers.get("vary")]).toEqual([406, "NOT_ACCEPTABLE", "Accept-Encoding"]);
    expect(fake.dumps).toEqual([]);
  });

  it("are not there any more, but say so, once exports have stopped", async () => {
    await exports.stop();
    for (const path of ["/export/dump", "/export/jobs", "/export/dump/x", "/export/dump/x/download", "/export/csv/x"])
      expect(await call("GET", path)).toMatchObject({ status: 503, json: { code: "STOPPED" } });
  });

  it("need a token and a path that can be used", () => {
    expect(() => exports.routes({} as never)).toThrow(/token must be/);
    expect(() => exports.routes(undefined as never)).toThrow(/token must be/);
    expect(() => exports.routes({ token: "t", basePath: "a/" })).toThrow(/basePath must be/);
  });
});
