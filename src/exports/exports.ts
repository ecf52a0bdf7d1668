import { ReplicaError } from "../errors.js";
import { Lifecycle } from "../lifecycle.js";
import type { ExportControl } from "./export-control.js";
import type { ByteRange, ExportDownload, ExportJob, ExportRequest, ExportStream } from "./export-job.js";
import { parseJobRequest } from "./export-request.js";
import { ExportSession, stopped } from "./export-session.js";
import type { ExportSettings } from "./export-settings.js";
import type { ExportThreads } from "./export-threads.js";
import { createExportRoutes } from "./routes/export-routes.js";
import type { ExportRoutes, ExportRoutesOptions } from "./routes/export-routes-options.js";
import { parseStreamSelection, type StreamSelection } from "./stream-selection.js";

/** Longer than any id of ours. */
const MAX_ID_LENGTH = 200;

/**
 * Exports of one SQLite file. Every method rejects with `ReplicaError`s; all but `start` and `stop` with `STOPPED` while it is not running, and with
 * `LOCAL_DATABASE` or `WORKER_FAILED` where the books or the thread that holds them fail.
 */
export class Exports implements ExportControl {
  readonly #settings: ExportSettings;
  readonly #lifecycle: Lifecycle<ExportSession>;

  constructor(settings: ExportSettings, threads: ExportThreads) {
    this.#settings = settings;
    this.#lifecycle = new Lifecycle(() => new ExportSession(settings, threads), stopped);
  }

  /**
   * Opens the folder and goes on with the jobs that have not ended. A second call does nothing.
   * @throws `LOCAL_DATABASE`, also where another process has the folder; `MISSING_DRIVER`; `ARTIFACT_STORE`; then nothing runs, and it may be
   * called again
   */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /**
   * Stops jobs where they can go on, and cuts streams and downloads short with `STOPPED`. Leaves no thread, timer or open file: the process may end.
   * `start()` may follow.
   */
  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  async startJob(request: ExportRequest = {}): Promise<ExportJob> {
    const { engine } = this.#lifecycle.session;
    return await engine.startJob(parseJobRequest(request, this.#settings.engine.callbacks));
  }

  async job(id: string): Promise<ExportJob> {
    return await this.#lifecycle.session.engine.job(idOf(id));
  }

  async jobs(): Promise<ExportJob[]> {
    return await this.#lifecycle.session.engine.jobs();
  }

  async removeJob(id: string): Promise<void> {
    const { engine, ends } = this.#lifecycle.session;
    await engine.removeJob(idOf(id));
    ends.nudge(id);
  }

  /**
   * Resolves with the job once it has completed or failed, which its `state` tells. Keeps the process from ending until then.
   * @throws `UNKNOWN_JOB`, also where it is removed meanwhile; `STOPPED`; the signal's reason
   */
  async finished(id: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<ExportJob> {
    const { ends } = this.#lifecycle.session;
    signal?.throwIfAborted();
    return await ends.wait(idOf(id), signal);
  }

  async download(
    id: string,
    { range, signal }: { readonly range?: ByteRange | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ExportDownload> {
    const { engine, downloads } = this.#lifecycle.session;
    signal?.throwIfAborted();
    return await downloads.open(await engine.job(idOf(id)), range, signal);
  }

  async stream(
    selection: StreamSelection = {},
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ExportStream> {
    const { streams } = this.#lifecycle.session;
    return await streams.open(parseStreamSelection(selection), signal);
  }

  /**
   * A Hono app with `/export/...`, to be mounted: `app.route("/", exports.routes({ token }))`.
   * @throws ConfigurationError without a token
   */
  routes(options: ExportRoutesOptions): ExportRoutes {
    return createExportRoutes(this, this.#settings.engine.database, options);
  }
}

function idOf(id: unknown): string {
  if (typeof id === "string" && id !== "" && id.length <= MAX_ID_LENGTH) return id;
  throw new ReplicaError("UNKNOWN_JOB", "No export job has this id", { hint: "List the jobs to see which there are." });
}
