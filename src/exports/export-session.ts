import { rm } from "node:fs/promises";
import { ReplicaError } from "../errors.js";
import { Downloads } from "./downloads.js";
import { tellJob } from "./export-events.js";
import type { ExportSettings } from "./export-settings.js";
import type { ExportThreads } from "./export-threads.js";
import { JobEnds } from "./job-ends.js";
import type { ExportEngine } from "./jobs/export-engine.js";
import { LiveStreams } from "./live-streams.js";

/** What is open between `start()` and `stop()`. */
export class ExportSession {
  readonly engine: ExportEngine;
  readonly streams: LiveStreams;
  readonly downloads: Downloads;
  readonly ends: JobEnds;
  /** Whether it can be asked. */
  opened = false;
  #closing: Promise<void> | null = null;

  constructor(settings: ExportSettings, threads: ExportThreads) {
    this.engine = threads.createEngine(settings.engine, (job) => {
      if (this.#closing !== null) return;
      if (job.state === "completed" || job.state === "failed") this.ends.nudge(job.id);
      tellJob(job, settings.onProgress);
    });
    this.streams = new LiveStreams(settings, threads);
    this.downloads = new Downloads(settings.engine.database, this.engine);
    this.ends = new JobEnds(async (id) => {
      if (this.#closing !== null) throw stopped();
      return await this.engine.job(id);
    });
  }

  /** @throws what `ExportEngine.open` throws */
  async open(): Promise<void> {
    await this.engine.open();
    // The folder is ours alone from now on: what a process that was killed left of its streams has no reader.
    await rm(this.streams.scratch, { recursive: true, force: true }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ReplicaError("LOCAL_DATABASE", `What an earlier process left cannot be removed: ${reason}`, {
        hint: "Make the folder and what is in it writable for this user.",
        retryable: true,
        cause: error,
      });
    });
    this.opened = this.#closing === null;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.opened = false;
    // `#closing` has to be seen by those who are woken.
    await Promise.resolve();
    this.ends.nudgeAll();
    await Promise.all([this.streams.close(stopped()), this.downloads.close(stopped())]);
    await this.engine.close();
  }
}

/** What is asked of exports that do not run. */
export function stopped(): ReplicaError {
  return new ReplicaError("STOPPED", "The exports do not run: call start() first, or again after stop()");
}
