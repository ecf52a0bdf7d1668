import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { ReplicaError } from "../../errors.js";
import { beforeAbort } from "../../threads/before-abort.js";
import { callbackHostMistake } from "../callbacks/callback-host.js";
import { callbackRefused } from "../callbacks/callback-refused.js";
import type { ByteRange, ExportJob, ExportRequest } from "../export-job.js";
import { finishedArtifact } from "../finished-artifact.js";
import { tablesSelection } from "../tables-selection.js";
import { checkSelection } from "./check-selection.js";
import { type EngineParts, type EngineTuning, openEngineParts } from "./engine-parts.js";
import type { EngineOptions, ExportEngine, OpenedArtifact } from "./export-engine.js";
import type { JobRecord } from "./job-record.js";

/**
 * An engine of this thread. Before `open`, and after `close`, its methods reject with `STOPPED`.
 * @param onJob is told of every job that changed
 */
export function createExportEngine(
  options: EngineOptions,
  onJob: (job: ExportJob) => void,
  tuning: EngineTuning = {},
): ExportEngine {
  return new Engine({ ...options, database: resolve(options.database), dir: resolve(options.dir) }, onJob, tuning);
}

class Engine implements ExportEngine {
  readonly #options: EngineOptions;
  readonly #onJob: (job: ExportJob) => void;
  readonly #tuning: EngineTuning;
  readonly #stop = new AbortController();
  #opening: Promise<EngineParts> | null = null;
  #closing: Promise<void> | null = null;
  #removing = new Map<string, Promise<void>>();

  constructor(options: EngineOptions, onJob: (job: ExportJob) => void, tuning: EngineTuning) {
    this.#options = options;
    this.#onJob = onJob;
    this.#tuning = tuning;
  }

  async open(): Promise<void> {
    if (this.#closing !== null) throw stopped();
    this.#opening ??= openEngineParts(this.#options, this.#onJob, this.#tuning);
    const opening = this.#opening;
    try {
      await opening;
    } catch (error) {
      // It may be opened again, once what was in the way is gone.
      if (this.#opening === opening) this.#opening = null;
      throw error;
    }
  }

  async startJob({ format = "sql", tables = null, callbackUrl = null }: ExportRequest): Promise<ExportJob> {
    const { jobs, queue, events } = await this.#parts();
    const { database, except } = this.#options;
    this.#refuseWhereBusy(queue.size);
    await checkSelection(database, format, tablesSelection(tables, except), this.#stop.signal);
    if (callbackUrl !== null) await this.#checkCallback(callbackUrl);
    // Others may have come meanwhile. From here on nothing waits.
    if (this.#closing !== null) throw stopped();
    this.#refuseWhereBusy(queue.size);
    const id = randomUUID();
    jobs.insert({ id, database, format, tables, except, callbackUrl });
    const { job } = existing(id, jobs.get(id));
    events.changed(id);
    queue.add(id);
    return job;
  }

  async job(id: string): Promise<ExportJob> {
    const { jobs } = await this.#parts();
    return existing(id, jobs.get(id)).job;
  }

  async jobs(): Promise<ExportJob[]> {
    const { jobs } = await this.#parts();
    return jobs.list();
  }

  async removeJob(id: string): Promise<void> {
    const { jobs, queue, sweeper } = await this.#parts();
    const underWay = this.#removing.get(id);
    if (underWay !== undefined) return await underWay;
    if (!jobs.markRemoved(id)) existing(id, null);
    const removal = queue
      .cancel(id, new ReplicaError("STOPPED", "The export job was removed"))
      .then(() => sweeper.remove(id))
      .finally(() => this.#removing.delete(id));
    this.#removing.set(id, removal);
    await removal;
  }

  async openArtifact(id: string, range: ByteRange | null): Promise<OpenedArtifact> {
    const { jobs, readers } = await this.#parts();
    const { job, location } = existing(id, jobs.get(id));
    const { bytes } = finishedArtifact(job);
    // A completed job has its place.
    if (location === null) throw new TypeError(`The export job ${id} has completed nowhere`);
    return { reader: await readers.open(location, range), job, bytes };
  }

  async readArtifact(reader: number): Promise<Uint8Array | null> {
    return await (await this.#parts()).readers.read(reader);
  }

  async closeArtifact(reader: number): Promise<void> {
    await (await this.#parts()).readers.close(reader);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #checkCallback(url: string): Promise<void> {
    const { callbacks } = this.#options;
    if (callbacks === null) return;
    const mistake = await beforeAbort(callbackHostMistake(url, callbacks), this.#stop.signal);
    if (mistake !== null) throw callbackRefused(mistake);
  }

  #refuseWhereBusy(jobs: number): void {
    const { concurrency, maxQueuedJobs } = this.#options;
    if (jobs < concurrency + maxQueuedJobs) return;
    throw new ReplicaError("EXPORT_BUSY", `${jobs} export jobs are under way or waiting already`, {
      hint: "Wait until one of them has ended, remove one, or give a higher `maxQueuedJobs`.",
      retryable: true,
    });
  }

  async #close(): Promise<void> {
    this.#stop.abort(stopped());
    const parts = await this.#opening?.catch(() => null);
    await parts?.close(stopped());
  }

  async #parts(): Promise<EngineParts> {
    if (this.#closing !== null || this.#opening === null) throw stopped();
    const parts = await this.#opening;
    if (this.#closing !== null) throw stopped();
    return parts;
  }
}

/** @throws `UNKNOWN_JOB` */
function existing(id: string, record: JobRecord | null): JobRecord {
  if (record !== null) return record;
  throw new ReplicaError("UNKNOWN_JOB", `There is no export job with the id ${JSON.stringify(id)}`, {
    hint: "It was removed, or kept for longer than `retentionSeconds`, or was never there.",
  });
}

function stopped(): ReplicaError {
  return new ReplicaError("STOPPED", "The exports were stopped.");
}
