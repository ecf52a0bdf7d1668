import type { ExportJob } from "./export-job.js";

/** What `createExports` takes. */
export interface ExportsOptions {
  /** Path of the SQLite file that is exported. It may be in use, and is never written to. */
  readonly database: string;
  /** A folder of our own: the books (`exports.db`), snapshots and finished files; made where there is none. */
  readonly dir: string;
  /** Where finished files go instead of `dir`. Needs the package `@aws-sdk/client-s3`. */
  readonly s3?: S3Options;
  /** Tables that are never exported, unless asked for by name. Default: none. */
  readonly except?: readonly string[];
  /** Lets jobs have a `callbackUrl`. */
  readonly callbacks?: CallbackOptions;
  /** Jobs under way at once; the others wait. Default 2. */
  readonly concurrency?: number;
  /** Jobs that may wait. Default 100. */
  readonly maxQueuedJobs?: number;
  /** Streams (`dump`) under way at once. Default 4. */
  readonly maxStreams?: number;
  /** A stream whose reader takes nothing for so long ends: it holds up the checkpoints of the database. In seconds. Default 60. */
  readonly streamStallSeconds?: number;
  /** How long a stream may last, however its reader reads: so long the write-ahead log may grow. In seconds. Default 3 600: an hour. */
  readonly maxStreamSeconds?: number;
  /** What snapshots and files in `dir` may take together, in bytes. Default: no limit but `minFreeBytes`. */
  readonly maxDiskBytes?: number;
  /** What stays free on the disk of `dir`, in bytes. Default 256 MiB. */
  readonly minFreeBytes?: number;
  /** How long ended jobs and their files are kept, in seconds. Default 604 800: a week. */
  readonly retentionSeconds?: number;
  /** Told how jobs get on, at most every 250 ms per job, and of every change of state. */
  readonly onProgress?: (job: ExportJob) => void;
}

/** A bucket of Amazon S3 or of anything that speaks its protocol. */
export interface S3Options {
  readonly bucket: string;
  /** Begins every key, for instance `exports/`. Default: nothing. */
  readonly prefix?: string;
  /** Of servers that are not Amazon's, for instance `http://127.0.0.1:9000`. */
  readonly endpoint?: string;
  /** Default: as the environment says, else `us-east-1`. */
  readonly region?: string;
  /** Whether the bucket stands in the path and not in the host. Default: where `endpoint` is given. */
  readonly forcePathStyle?: boolean;
  /** Default: as the environment, the shared credentials file or the machine's role says. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
}

export interface CallbackOptions {
  /**
   * `whsec_` and the base64 of 24 to 64 random bytes, as Standard Webhooks has it. Of several, each signs: so a secret is changed without a gap.
   * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
   */
  readonly secret: string | readonly string[];
  /** Whether callbacks may go to loopback, private and link-local addresses. Default `false`. */
  readonly allowPrivate?: boolean;
  /** When a callback that nobody takes is given up, in seconds from the job's end. Default 259 200: three days. */
  readonly giveUpAfterSeconds?: number;
}
