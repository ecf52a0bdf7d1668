import type { ReplicaErrorCode } from "../errors.js";
import type { DumpFormatName } from "./formats/dump-selection.js";

export type ExportFormat = DumpFormatName;

/** What is to be exported. */
export interface ExportSelection {
  /** Default `sql`. `csv` has a form for one table alone. */
  readonly format?: ExportFormat | undefined;
  /** Names of tables; default: all, and with `sql` everything else that the file keeps. */
  readonly tables?: readonly string[] | null | undefined;
}

/** What a job is asked for. */
export interface ExportRequest extends ExportSelection {
  /** Is sent the job as JSON when it has completed or failed, signed as Standard Webhooks has it. Needs `callbacks` in the options. */
  readonly callbackUrl?: string | null | undefined;
}

/** An export job as users see it. What does not apply is `null`. Times are ISO 8601 UTC. */
export interface ExportJob {
  readonly id: string;
  readonly state: "queued" | "running" | "completed" | "failed";
  readonly format: ExportFormat;
  /** As asked; `null` for all. */
  readonly tables: readonly string[] | null;
  readonly progress: {
    readonly tablesDone: number;
    /** `null` until the snapshot stands. */
    readonly tablesTotal: number | null;
    readonly rowsDone: number;
    /** Bytes of the file so far; they survive a crash. */
    readonly bytesWritten: number;
  };
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly error: { readonly code: ReplicaErrorCode; readonly message: string } | null;
  /** `null` before it has completed. `sha256` is lowercase hex, of the whole file. */
  readonly artifact: { readonly bytes: number; readonly sha256: string } | null;
  readonly callback: ExportCallback | null;
}

/** Where a job's callback stands. */
export interface ExportCallback {
  readonly url: string;
  /** `waiting`: the job has not ended; `pending`: it is being sent, or will be again; `given_up`: nobody took it in time. */
  readonly state: "waiting" | "pending" | "delivered" | "given_up";
  /** How often it was sent. */
  readonly attempts: number;
}

/** A finished export, or a piece of it, to be read once. */
export interface ExportDownload {
  readonly job: ExportJob;
  /** What to call it: the name of the database or table, the day, and what the format's files end with. */
  readonly fileName: string;
  readonly mediaType: string;
  /** Of the whole file. */
  readonly bytes: number;
  /** Errors where the file breaks off, and where nobody reads it for five minutes. To cancel it lets go of the file. */
  readonly body: ReadableStream<Uint8Array>;
}

/** An export that is made while it is read. */
export interface ExportStream {
  readonly fileName: string;
  readonly mediaType: string;
  /** Errors where the export fails half way: what was read then is no export. To cancel it ends the work. */
  readonly body: ReadableStream<Uint8Array>;
}

/** Bytes of a file, both ends included, as `Range` has them. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
