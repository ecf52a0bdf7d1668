import type { ExportJob } from "../../exports/export-job.js";
import { CliError } from "../cli-error.js";

const STATES: readonly string[] = ["queued", "running", "completed", "failed"];
/** What may stand in a path and in a shell. */
const ID = /^[A-Za-z0-9][\w.~-]{0,199}$/;
/** One of a later version too, but what may end the name of a file. */
const FORMAT = /^[a-z0-9]{1,20}$/;

export function isJobId(text: unknown): text is string {
  return typeof text === "string" && ID.test(text);
}

/**
 * What a server sent as a job, checked as far as this program uses it. What it does not know is kept.
 * @throws CliError `NOT_OURS`
 */
export function verifyJob(value: unknown): ExportJob {
  const job = object(value, "the answer");
  if (!isJobId(job.id)) throw wrong("id");
  if (!STATES.includes(job.state as string)) throw wrong("state");
  if (typeof job.format !== "string" || !FORMAT.test(job.format)) throw wrong("format");
  if (job.tables !== null && !(Array.isArray(job.tables) && job.tables.every((name) => typeof name === "string"))) {
    throw wrong("tables");
  }
  const progress = object(job.progress, "progress");
  for (const name of ["tablesDone", "rowsDone", "bytesWritten"]) if (!isCount(progress[name])) throw wrong(name);
  if (progress.tablesTotal !== null && !isCount(progress.tablesTotal)) throw wrong("tablesTotal");
  verifyTime(job, "createdAt");
  if (job.finishedAt !== null) verifyTime(job, "finishedAt");
  if (job.error !== null) {
    const { code, message } = object(job.error, "error");
    if (typeof code !== "string" || typeof message !== "string") throw wrong("error");
  }
  verifyArtifact(job);
  if (job.callback !== null && job.callback !== undefined) verifyCallback(object(job.callback, "callback"));
  return value as ExportJob;
}

/** @throws CliError `NOT_OURS` */
export function verifyJobs(value: unknown): readonly ExportJob[] {
  const { jobs } = object(value, "the answer");
  if (!Array.isArray(jobs)) throw wrong("jobs");
  return jobs.map(verifyJob);
}

function verifyArtifact({ artifact, state }: Record<string, unknown>): void {
  if (artifact === null && state !== "completed") return;
  const { bytes, sha256 } = object(artifact, "artifact");
  if (!isCount(bytes) || typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) throw wrong("artifact");
}

function verifyCallback({ url, state, attempts }: Record<string, unknown>): void {
  if (typeof url !== "string" || typeof state !== "string" || !isCount(attempts)) throw wrong("callback");
}

function verifyTime(job: Record<string, unknown>, name: string): void {
  const time = job[name];
  if (typeof time !== "string" || Number.isNaN(Date.parse(time))) throw wrong(name);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(what);
  return value as Record<string, unknown>;
}

function wrong(what: string): CliError {
  return new CliError("NOT_OURS", `the server's answer is no export job: "${what}" is not what it should be`, {
    hint: "Is --server right, and of a version that fits this one?",
  });
}
