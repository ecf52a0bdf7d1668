import { createHash } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { ExportJob } from "../../../src/exports/export-job.js";
import { DUMP_FORMATS } from "../../../src/exports/formats/dump-formats.js";
import { DUMP_START, type DumpPosition } from "../../../src/exports/formats/dump-position.js";
import { createExportEngine } from "../../../src/exports/jobs/create-export-engine.js";
import type { EngineTuning } from "../../../src/exports/jobs/engine-parts.js";
import type { EngineOptions, ExportEngine } from "../../../src/exports/jobs/export-engine.js";
import { tablesSelection } from "../../../src/exports/tables-selection.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";

/** A database in WAL mode: `accounts` whose balances always sum up to 0, and `pages`, `megabytes` of text. */
export function createDatabase(megabytes: number, path: string = join(tempDir(), "bank.db")): string {
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = OFF");
  database.exec(`
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
    INSERT INTO accounts WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, 0 FROM n;
    CREATE TABLE pages (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
    INSERT INTO pages WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${megabytes * 256})
      SELECT i, i || substr(hex(randomblob(2048)), 1, 4090) FROM n WHERE i <= ${megabytes * 256};
  `);
  database.close();
  return path;
}

/** Options that work, for a folder of its own. */
export function engineOptions(options: Partial<EngineOptions> = {}): EngineOptions {
  return {
    database: options.database ?? createDatabase(1),
    dir: options.dir ?? join(tempDir(), "exports"),
    except: [],
    concurrency: 2,
    maxQueuedJobs: 100,
    maxDiskBytes: null,
    minFreeBytes: 0,
    retentionSeconds: 604_800,
    callbacks: null,
    ...options,
  };
}

export interface TestEngine extends ExportEngine {
  readonly options: EngineOptions;
  /** Every job that was told of, as it was then. */
  readonly told: readonly ExportJob[];
  /** Resolves with the job once it is in that state; fails at once where it ends in another. */
  until(id: string, state: ExportJob["state"], timeoutMs?: number): Promise<ExportJob>;
}

/** An engine in this thread, opened, and closed when the test ends. */
export async function openEngine(options: EngineOptions, tuning: EngineTuning = {}): Promise<TestEngine> {
  const told: ExportJob[] = [];
  const engine = createExportEngine(options, (job) => told.push(job), {
    ...tuning,
    retry: { pauseMs: 5, ...tuning.retry },
  });
  atEnd(() => engine.close());
  await engine.open();
  return Object.assign(engine, { options, told, until: untilState(engine) });
}

/** `until` of a `TestEngine`. */
export function untilState(engine: Pick<ExportEngine, "job">): TestEngine["until"] {
  return async (id, state, timeoutMs = 15_000) => {
    let job = await engine.job(id);
    const what = `the job to be ${state}`;
    const isOver = () => job.state === "completed" || job.state === "failed";
    await waitFor(
      async () => {
        job = await engine.job(id);
        return job.state === state || isOver();
      },
      { timeoutMs, what },
    );
    if (job.state !== state) throw new Error(`Waited for ${what}, but it is ${JSON.stringify(job)}`);
    return job;
  };
}

/** All bytes of a finished job. */
export async function readAll(engine: ExportEngine, id: string): Promise<Buffer> {
  const { reader } = await engine.openArtifact(id, null);
  const pieces: Uint8Array[] = [];
  for (let piece = await engine.readArtifact(reader); piece !== null; piece = await engine.readArtifact(reader)) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** SHA-256 of the whole dump of a database that nobody writes to, made in one go. */
export function dumpHash(path: string, format: ExportJob["format"], tables: readonly string[] | null): string {
  const database = new Database(path, { readonly: true });
  const hash = createHash("sha256");
  const dump = DUMP_FORMATS[format].open(database, tablesSelection(tables, []));
  for (let position: DumpPosition | null = DUMP_START; position !== null; ) {
    const part = dump.part(position);
    let chunk = part.next();
    for (; chunk.done !== true; chunk = part.next()) hash.update(chunk.value);
    position = chunk.value.next;
  }
  database.close();
  return hash.digest("hex");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
