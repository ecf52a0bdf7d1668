import { randomUUID } from "node:crypto";
import { ReplicaError } from "../../../src/errors.js";
import type { DumpPiece, DumpReader, DumpRequest } from "../../../src/exports/dump/dump-reader.js";
import type { ByteRange, ExportJob, ExportRequest } from "../../../src/exports/export-job.js";
import { parseExportSettings } from "../../../src/exports/export-settings.js";
import type { ExportThreads } from "../../../src/exports/export-threads.js";
import { Exports } from "../../../src/exports/exports.js";
import type { ExportsOptions } from "../../../src/exports/exports-options.js";
import type { EngineOptions, ExportEngine } from "../../../src/exports/jobs/export-engine.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

/** What the test makes the engine and the dumps do; each of them may throw. */
interface Script {
  open?: () => unknown;
  start?: (request: ExportRequest) => unknown;
  look?: (id: string) => unknown;
  close?: () => unknown;
  read?: (reader: number) => unknown;
  openDump?: (request: DumpRequest, signal: AbortSignal) => unknown;
  /** The bytes of a dump, piece by piece. Default: `one`, `two`. */
  pieces?: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

interface FakeDump {
  readonly request: DumpRequest;
  closed: boolean;
  pulled: number;
}

/** An engine and dumps in memory. What it keeps outlives `close`, as files would. */
export class FakeExports {
  readonly script: Script = {};
  readonly requests: ExportRequest[] = [];
  readonly engines: { readonly options: EngineOptions; onJob: (job: ExportJob) => void; closed: boolean }[] = [];
  readonly dumps: FakeDump[] = [];
  readonly readers: Map<number, { readonly bytes: Uint8Array; at: number }> = new Map();
  /** How many finished files were opened, since ever. */
  opened: number = 0;
  readonly #jobs = new Map<string, ExportJob>();
  readonly #files = new Map<string, Uint8Array>();

  readonly threads: ExportThreads = {
    createEngine: (options, onJob) => {
      const engine = { options, onJob, closed: false };
      this.engines.push(engine);
      return this.#engine(engine);
    },
    openDump: async (_, __, request, signal) => {
      await this.script.openDump?.(request, signal);
      signal.throwIfAborted();
      return this.#dump(request);
    },
  };

  /** Exports over these. They are stopped when the test ends. */
  exports(options: Partial<ExportsOptions> = {}): Exports {
    const settings = { database: "/nowhere/shop.db", dir: tempDir(), ...options };
    const exports = new Exports(parseExportSettings(settings), this.threads);
    atEnd(() => exports.stop());
    return exports;
  }

  /** Makes something of a job, and tells. */
  become(id: string, change: Partial<ExportJob>): ExportJob {
    const job = { ...this.#job(id), ...change };
    this.#jobs.set(id, job);
    for (const { closed, onJob } of this.engines) if (!closed) onJob(job);
    return job;
  }

  complete(id: string, bytes: Uint8Array, sha256: string = "ab".repeat(32)): ExportJob {
    this.#files.set(id, bytes);
    const artifact = { bytes: bytes.length, sha256 };
    return this.become(id, { state: "completed", artifact, finishedAt: new Date().toISOString() });
  }

  /** Behind the back of the job. */
  replaceFile(id: string, bytes: Uint8Array): void {
    this.#files.set(id, bytes);
  }

  loseFile(id: string): void {
    this.#files.delete(id);
  }

  #job(id: string): ExportJob {
    const job = this.#jobs.get(id);
    if (!job) throw new ReplicaError("UNKNOWN_JOB", "No export job has this id");
    return job;
  }

  #engine(state: { readonly closed: boolean }): ExportEngine {
    const check = (): void => {
      if (state.closed) throw new ReplicaError("STOPPED", "the engine is closed");
    };
    return {
      open: async () => void (await this.script.open?.()),
      startJob: async (request) => {
        check();
        this.requests.push(request);
        await this.script.start?.(request);
        const { callbackUrl } = request;
        const job: ExportJob = {
          id: randomUUID(),
          state: "queued",
          format: request.format ?? "sql",
          tables: request.tables ?? null,
          progress: { tablesDone: 0, tablesTotal: null, rowsDone: 0, bytesWritten: 0 },
          createdAt: "2026-01-31T23:59:59.999Z",
          finishedAt: null,
          error: null,
          artifact: null,
          callback: callbackUrl ? { url: callbackUrl, state: "waiting", attempts: 0 } : null,
        };
        this.#jobs.set(job.id, job);
        return job;
      },
      job: async (id) => {
        check();
        await this.script.look?.(id);
        return this.#job(id);
      },
      jobs: async () => [...this.#jobs.values()].reverse(),
      removeJob: async (id) => {
        check();
        this.#job(id);
        this.#jobs.delete(id);
      },
      openArtifact: async (id, range) => {
        check();
        const bytes = this.#files.get(id);
        if (!bytes) throw new ReplicaError("ARTIFACT_MISSING", "The file is not where it was put");
        this.opened += 1;
        this.readers.set(this.opened, { bytes: slice(bytes, range), at: 0 });
        const job = this.#job(id);
        return { reader: this.opened, job, bytes: job.artifact?.bytes ?? bytes.length };
      },
      readArtifact: async (number) => {
        check();
        await this.script.read?.(number);
        const reader = this.readers.get(number);
        if (!reader) throw new ReplicaError("STOPPED", "not open");
        if (reader.at >= reader.bytes.length) return null;
        const piece = reader.bytes.slice(reader.at, reader.at + 100_000);
        reader.at += piece.length;
        return piece;
      },
      closeArtifact: async (reader) => void this.readers.delete(reader),
      close: async () => {
        const engine = this.engines.at(-1);
        if (engine) engine.closed = true;
        await this.script.close?.();
      },
    };
  }

  #dump(request: DumpRequest): DumpReader {
    const dump: FakeDump = { request, closed: false, pulled: 0 };
    this.dumps.push(dump);
    const { script } = this;
    return {
      fingerprint: "fake",
      tables: [],
      async *read(_, signal = new AbortController().signal): AsyncGenerator<DumpPiece> {
        for await (const bytes of script.pieces?.(signal) ?? some("one", "two")) {
          dump.pulled += 1;
          yield { bytes, end: null };
        }
      },
      close: async () => {
        dump.closed = true;
      },
    };
  }
}

/** These texts, one piece each. */
export async function* some(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

function slice(bytes: Uint8Array, range: ByteRange | null): Uint8Array {
  return range === null ? bytes : bytes.slice(range.start, range.end + 1);
}
