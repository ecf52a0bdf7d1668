import type { ReplicaErrorCode } from "../../errors.js";
import type { ExportCallback, ExportFormat, ExportJob } from "../export-job.js";
import type { JobRecord } from "./job-record.js";

/** A row of `export_jobs`. */
export interface JobRow {
  readonly id: string;
  readonly state: ExportJob["state"];
  readonly format: ExportFormat;
  readonly tables: string | null;
  readonly database: string;
  readonly except_tables: string;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly snapshot_bytes: number | null;
  readonly fingerprint: string | null;
  readonly ticket: string | null;
  readonly location: string | null;
  readonly artifact_sha256: string | null;
  readonly tables_total: number | null;
  readonly tables_done: number;
  readonly rows_done: number;
  readonly bytes_written: number;
  readonly error_code: ReplicaErrorCode | null;
  readonly error_message: string | null;
  readonly callback_url: string | null;
  readonly callback_state: ExportCallback["state"] | null;
  readonly callback_attempts: number;
}

export function readJobRow(row: JobRow): JobRecord {
  const { database, snapshot_bytes: snapshotBytes, fingerprint, ticket, location } = row;
  const except = JSON.parse(row.except_tables) as string[];
  return { job: showJob(row), database, except, snapshotBytes, fingerprint, ticket, location };
}

/** The job as users see it. */
function showJob(row: JobRow): ExportJob {
  return {
    id: row.id,
    state: row.state,
    format: row.format,
    tables: row.tables === null ? null : (JSON.parse(row.tables) as string[]),
    progress: {
      tablesDone: row.tables_done,
      tablesTotal: row.tables_total,
      rowsDone: row.rows_done,
      bytesWritten: row.bytes_written,
    },
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
    artifact: row.artifact_sha256 === null ? null : { bytes: row.bytes_written, sha256: row.artifact_sha256 },
    callback:
      row.callback_url === null || row.callback_state === null
        ? null
        : { url: row.callback_url, state: row.callback_state, attempts: row.callback_attempts },
  };
}
