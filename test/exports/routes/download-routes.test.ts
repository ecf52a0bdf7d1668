import { createHash } from "node:crypto";
import { parse as parseDisposition } from "content-disposition";
import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { Exports } from "../../../src/exports/index.js";
import { requestedRange } from "../../../src/exports/routes/requested-range.js";
import { atEnd } from "../../support/at-end.js";
import { waitFor } from "../../support/wait.js";
import { FakeExports } from "../facade/fake-exports.js";
import { type ExportHost, startExportHost } from "./export-host.js";

const FILE = Buffer.from(Uint8Array.from({ length: 250_000 }, (_, index) => index % 251));
const SHA256 = createHash("sha256").update(FILE).digest();
const ETAG = `"${SHA256.toString("hex")}"`;

describe("GET /export/dump/:jobId/download", () => {
  let fake: FakeExports;
  let exports: Exports;
  let host: ExportHost;
  let id: string;
  let download: (headers?: Record<string, string>, method?: string) => ReturnType<ExportHost["call"]>;

  beforeEach(async () => {
    fake = new FakeExports();
    exports = fake.exports();
    await exports.start();
    host = await startExportHost(exports);
    ({ id } = await exports.startJob({ format: "csv", tables: ["Übersicht / 2"] }));
    download = (headers = {}, method = "GET") => host.call(method, `/export/dump/${id}/download`, headers);
  });

  const complete = (bytes = FILE, sha256 = SHA256.toString("hex")) => fake.complete(id, bytes, sha256);

  it("sends the file with all that tells what it is", async () => {
    complete();
    const { status, headers, bytes } = await download({ "accept-encoding": "gzip" });
    expect([status, bytes.equals(FILE)]).toEqual([200, true]);
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "text/csv; charset=utf-8; header=present",
      "content-length": "250000",
      "accept-ranges": "bytes",
      etag: ETAG,
      "repr-digest": `sha-256=:${SHA256.toString("base64")}:`,
      "cache-control": "no-store, no-transform",
      "x-content-type-options": "nosniff",
    });
    expect(headers.has("content-encoding")).toBe(false);
    const disposition = parseDisposition(headers.get("content-disposition") ?? "");
    expect(disposition.parameters.filename).toBe("Übersicht _ 2-2026-01-31.csv");
  });

  it("tells the same to HEAD, without the file", async () => {
    complete();
    const whole = await download();
    const opened = fake.opened;
    const head = await download({ range: "bytes=0-1" }, "HEAD");
    const without = ({ headers }: { headers: Headers }) =>
      [...headers].filter(([name]) => !["date", "connection", "keep-alive"].includes(name));
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    expect(without(head)).toEqual(without(whole));
    expect(fake.opened).toBe(opened);
  });

  it("sends a piece with 206", async () => {
    complete();
    const { status, headers, bytes } = await download({ range: "bytes=100-150099" });
    expect([status, bytes.equals(FILE.subarray(100, 150_100))]).toEqual([206, true]);
    expect(headers.get("content-range")).toBe("bytes 100-150099/250000");
    expect(headers.get("content-length")).toBe("150000");
    expect([headers.get("etag"), headers.get("repr-digest")]).toEqual([ETAG, `sha-256=:${SHA256.toString("base64")}:`]);
    await waitFor(() => fake.readers.size === 0);
  });

  it("says 416 with the length for a range behind the end, without the file", async () => {
    complete();
    const { status, headers, json } = await download({ range: "bytes=250000-" });
    expect([status, json.code, headers.get("content-range")]).toEqual([416, "RANGE_NOT_SATISFIABLE", "bytes */250000"]);
    expect(fake.opened).toBe(0);
  });

  it("answers any Range with the bytes that it names", async () => {
    complete(FILE.subarray(0, 40));
    const number = fc.oneof(fc.nat(60).map(String), fc.constant(""));
    const range = fc.oneof(
      fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`),
      fc.constantFrom("bytes=0-1,5-6", "lines=1-2", "bytes=x-", "bytes"),
    );
    await fc.assert(
      fc.asyncProperty(range, async (asked) => {
        const named = requestedRange(asked, 40);
        const { status, headers, bytes } = await download({ range: asked });
        if (named === "unsatisfiable") {
          expect([asked, status, headers.get("content-range")]).toEqual([asked, 416, "bytes */40"]);
          return;
        }
        const { start, end } = named === "whole" ? { start: 0, end: 39 } : named;
        expect([asked, status]).toEqual([asked, named === "whole" ? 200 : 206]);
        expect(bytes.equals(FILE.subarray(start, end + 1))).toBe(true);
        expect(headers.get("content-length")).toBe(String(bytes.length));
        expect(headers.get("content-range")).toBe(named === "whole" ? null : `bytes ${start}-${end}/40`);
      }),
      { numRuns: 60 },
    );
  });

  it("puts a file together again that was got in pieces", async () => {
    complete();
    const pieces: Buffer[] = [];
    for (let at = 0; at < FILE.length; at += 70_001)
      pieces.push((await download({ range: `bytes=${at}-${at + 70_000}`, "if-range": ETAG })).bytes);
    expect(Buffer.concat(pieces).equals(FILE)).toBe(true);
  });

  it("sends the whole where If-Range is of another file", async () => {
    complete();
    for (const ifRange of ['"other"', `W/${ETAG}`, "Sat, 29 Oct 1994 19:43:31 GMT"]) {
      const { status, bytes } = await download({ range: "bytes=1-2", "if-range": ifRange });
      expect([ifRange, status, bytes.length]).toEqual([ifRange, 200, FILE.length]);
    }
    expect((await download({ range: "bytes=1-2", "if-range": ETAG })).status).toBe(206);
  });

  it("says 304 to who has it, 412 to who has another, without the file", async () => {
    complete();
    for (const method of ["GET", "HEAD"]) {
      const { status, headers, bytes } = await download(
        { "if-none-match": `"x", W/${ETAG}`, range: "bytes=0-1" },
        method,
      );
      expect([status, headers.get("etag"), bytes.length]).toEqual([304, ETAG, 0]);
      expect(headers.get("cache-control")).toBe("no-store, no-transform");
    }
    expect(await download({ "if-match": '"x"' })).toMatchObject({ status: 412, json: { code: "PRECONDITION_FAILED" } });
    expect(fake.opened).toBe(0);
    expect((await download({ "if-match": ETAG, "if-none-match": '"x"' })).status).toBe(200);
  });

  it("sends an empty file", async () => {
    complete(Buffer.alloc(0));
    for (const headers of [{}, { range: "bytes=0-" }, { range: "bytes=-5" }] as Record<string, string>[]) {
      const { status, bytes, headers: answered } = await download(headers);
      expect([status, bytes.length, answered.get("content-length")]).toEqual([200, 0, "0"]);
    }
  });

  it("says 409 while there is no file, and why there is none", async () => {
    for (const method of ["GET", "HEAD"]) expect((await download({}, method)).status).toBe(409);
    expect((await download()).json).toEqual({ error: expect.stringMatching(/still queued/), code: "JOB_UNFINISHED" });
    fake.become(id, { state: "running" });
    expect((await download({ range: "bytes=0-1" })).json.code).toBe("JOB_UNFINISHED");
    fake.become(id, { state: "failed", error: { code: "DISK_LIMIT", message: "no room left" } });
    const failed = await download();
    expect([failed.status, failed.json.code]).toEqual([409, "JOB_FAILED"]);
    expect(failed.json.error).toContain("no room left (DISK_LIMIT)");
  });

  it("says 410 for a file that is not there any more, 502 where the store fails", async () => {
    complete();
    fake.loseFile(id);
    expect(await download()).toMatchObject({ status: 410, json: { code: "ARTIFACT_MISSING" } });
    fake.script.look = () => {
      throw new ReplicaError("ARTIFACT_STORE", "the bucket does not answer");
    };
    expect(await download()).toMatchObject({ status: 502, json: { code: "ARTIFACT_STORE" } });
  });

  it("breaks the connection where the file breaks off", async () => {
    complete();
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    atEnd(() => told.mockRestore());
    let reads = 0;
    fake.script.read = () => {
      reads += 1;
      if (reads > 1) throw new ReplicaError("ARTIFACT_STORE", "the bucket is gone");
    };
    await expect(download()).rejects.toMatchObject({ code: "ECONNRESET" });
    await waitFor(() => fake.readers.size === 0);
  });
});
