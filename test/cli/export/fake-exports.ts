import { createHash, randomBytes } from "node:crypto";
import { getRequestListener } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { ExportJob } from "../../../src/exports/export-job.js";
import { type HttpHost, startHttpHost } from "../../support/http-host.js";
import { realDelay } from "../../support/real-time.js";

/** A job whose every part a test may alter while it is being asked for. */
export interface FakeJob {
  job: { -readonly [K in keyof ExportJob]: ExportJob[K] };
  content: Buffer;
  etag: string | null;
  disposition: string | null;
  /** Pause after every 64 KiB. 0 sends all at once. */
  pauseMs: number;
  /** Answers every request for a piece with the whole. */
  ignoresRange: boolean;
  /** Fails once after so many bytes, as a server whose disk fails does. */
  failsAfter: number | null;
  headers: Record<string, string>;
}

export interface FakeExports {
  readonly host: HttpHost;
  readonly token: string;
  /** Environment in which the command finds the server. */
  readonly env: Record<string, string>;
  /** By id, newest last. */
  readonly jobs: Map<string, FakeJob>;
  /** Bodies of `POST /export/dump`. */
  readonly asked: unknown[];
  /** Makes a completed job. */
  complete(content: Buffer, id?: string): FakeJob;
  /** What a `POST` gives. Default: a job that is running. */
  onStart: (job: FakeJob) => void;
}

/** A server that answers as WIRE.md, section 3, has it, and as badly as a test wants it to. */
export async function startFakeExports(): Promise<FakeExports> {
  const token = `token-${randomBytes(12).toString("base64url")}`;
  const jobs = new Map<string, FakeJob>();
  const asked: unknown[] = [];
  const app = new Hono();
  const refuse = (context: Context, status: number, code: string, error: string) =>
    context.json({ error, code }, status as 400);

  app.use(async (context, next) => {
    if (context.req.header("authorization") === `Bearer ${token}`) return await next();
    return refuse(context, 401, "UNAUTHORIZED", "This needs the control token");
  });
  app.post("/export/dump", async (context) => {
    const body = await context.req.json();
    asked.push(body);
    const made = runningJob(body);
    jobs.set(made.job.id, made);
    fake.onStart(made);
    return context.json(made.job, 202);
  });
  app.get("/export/jobs", (context) => context.json({ jobs: [...jobs.values()].map(({ job }) => job).reverse() }));
  app.use("/export/dump/:id/*", async (context, next) => {
    if (jobs.has(context.req.param("id"))) return await next();
    return refuse(context, 404, "UNKNOWN_JOB", `There is no job ${context.req.param("id")}`);
  });
  app.get("/export/dump/:id", (context) => context.json(jobs.get(context.req.param("id"))?.job));
  app.delete("/export/dump/:id", (context) => {
    jobs.delete(context.req.param("id"));
    return context.body(null, 204);
  });
  app.get("/export/dump/:id/download", (context) => {
    const found = jobs.get(context.req.param("id")) as FakeJob;
    if (found.job.state !== "completed") return refuse(context, 409, "JOB_UNFINISHED", "It is not finished");
    return download(context, found);
  });

  const host = await startHttpHost(getRequestListener(app.fetch));
  const fake: FakeExports = {
    host,
    token,
    env: { STARFISH_REPLICA_SERVER: host.origin, STARFISH_REPLICA_TOKEN: token },
    jobs,
    asked,
    onStart: () => {},
    complete(content, id) {
      const made = runningJob({}, id);
      finish(made, content);
      jobs.set(made.job.id, made);
      return made;
    },
  };
  return fake;
}

/** Makes a job completed, with this file. */
export function finish(made: FakeJob, content: Buffer): void {
  const sha256 = createHash("sha256").update(content).digest("hex");
  made.content = content;
  made.etag = `"${sha256}"`;
  made.job = {
    ...made.job,
    state: "completed",
    finishedAt: "2026-03-04T05:06:09.000Z",
    progress: { tablesDone: 3, tablesTotal: 3, rowsDone: 12_345, bytesWritten: content.length },
    artifact: { bytes: content.length, sha256 },
  };
}

function runningJob(request: { format?: string; tables?: string[]; callbackUrl?: string }, id?: string): FakeJob {
  const { format = "sql", tables = null, callbackUrl } = request;
  return {
    job: {
      id: id ?? `job-${randomBytes(8).toString("hex")}`,
      state: "running",
      format: format as ExportJob["format"],
      tables,
      progress: { tablesDone: 0, tablesTotal: null, rowsDone: 0, bytesWritten: 0 },
      createdAt: "2026-03-04T05:06:07.000Z",
      finishedAt: null,
      error: null,
      artifact: null,
      callback: callbackUrl === undefined ? null : { url: callbackUrl, state: "waiting", attempts: 0 },
    },
    content: Buffer.alloc(0),
    etag: null,
    disposition: 'attachment; filename="shop-2026-03-04.sql"',
    pauseMs: 0,
    ignoresRange: false,
    failsAfter: null,
    headers: {},
  };
}

function download(context: Context, found: FakeJob): Response {
  const { content, etag, disposition, ignoresRange } = found;
  const [, from] = /^bytes=(\d+)-$/.exec(context.req.header("range") ?? "") ?? [];
  const ranged = from !== undefined && !ignoresRange && context.req.header("if-range") === etag;
  const start = ranged ? Number(from) : 0;
  const rest = content.subarray(start);
  const headers = {
    "content-type": "application/sql",
    "content-length": String(rest.length),
    ...(etag !== null && { etag }),
    ...(disposition !== null && { "content-disposition": disposition }),
    ...(ranged && { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }),
    ...found.headers,
  };
  if (ranged && start >= content.length) {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${content.length}` } });
  }
  return new Response(pieces(rest, found), { status: ranged ? 206 : 200, headers });
}

function pieces(bytes: Buffer, paced: FakeJob): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (paced.failsAfter !== null && at >= paced.failsAfter) {
        paced.failsAfter = null;
        return controller.error(new Error("the disk failed"));
      }
      if (at >= bytes.length) return controller.close();
      const piece = bytes.subarray(at, at + 65_536);
      at += piece.length;
      controller.enqueue(Uint8Array.from(piece));
      if (paced.pauseMs > 0) await realDelay(paced.pauseMs);
    },
  });
}
