import type { ByteRange, ExportJob, ExportRequest } from "../export-job.js";
import type { ExportsOptions } from "../exports-options.js";

/** What an engine needs to know. Plain data: it crosses threads. Checked, and with every default filled in. */
export interface EngineOptions
  extends Required<
      Pick<
        ExportsOptions,
        "database" | "dir" | "except" | "concurrency" | "maxQueuedJobs" | "minFreeBytes" | "retentionSeconds"
      >
    >,
    Pick<ExportsOptions, "s3"> {
  /** `null` for no limit. */
  readonly maxDiskBytes: number | null;
  readonly callbacks: {
    readonly secrets: readonly string[];
    readonly allowPrivate: boolean;
    readonly giveUpAfterSeconds: number;
  } | null;
}

/** A finished file that is being read. */
export interface OpenedArtifact {
  readonly reader: number;
  readonly job: ExportJob;
  /** Of the whole file. */
  readonly bytes: number;
}

/**
 * Runs export jobs and keeps their books. Lives in a worker thread; never blocks it for long, since the work on the database is done in threads of
 * its own (`dump/`). Methods reject with `ReplicaError`s. Tells of every job that changed, at most every 250 ms each.
 */
export interface ExportEngine {
  /** Opens the books, goes on with what a crash cut short, sweeps. @throws `LOCAL_DATABASE`, also where another process has the folder. */
  open(): Promise<void>;
  /** The request is checked already, but for what the database and the callback's host say. */
  startJob(request: ExportRequest): Promise<ExportJob>;
  job(id: string): Promise<ExportJob>;
  jobs(): Promise<ExportJob[]>;
  removeJob(id: string): Promise<void>;
  openArtifact(id: string, range: ByteRange | null): Promise<OpenedArtifact>;
  /** The next bytes, `null` after the last. One call at a time per reader. A reader nobody reads for minutes is closed. */
  readArtifact(reader: number): Promise<Uint8Array | null>;
  closeArtifact(reader: number): Promise<void>;
  /** Stops where every job can go on, and gives back files and connections. */
  close(): Promise<void>;
}
