import type { ByteRange, ExportDownload, ExportJob, ExportRequest, ExportStream } from "./export-job.js";
import type { StreamSelection } from "./stream-selection.js";

/** What can be asked of exports. `id` is a job's. */
export interface ExportControl {
  /**
   * Takes a job in; resolves once it is in the books, before any work on it.
   * @throws `INVALID_EXPORT` naming the field, `TABLE_MISSING`, `CALLBACK_REFUSED`, `EXPORT_BUSY`, `LOCAL_DATABASE`
   */
  startJob(request?: ExportRequest): Promise<ExportJob>;
  /** @throws `UNKNOWN_JOB` */
  job(id: string): Promise<ExportJob>;
  /** Newest first. */
  jobs(): Promise<ExportJob[]>;
  /** Ends the job where it is under way, and removes its files and the job itself. @throws `UNKNOWN_JOB` */
  removeJob(id: string): Promise<void>;
  /**
   * The finished file, or a piece of it. `range` must lie within the file.
   * @throws `UNKNOWN_JOB`, `JOB_UNFINISHED`, `JOB_FAILED`, `ARTIFACT_MISSING`, `ARTIFACT_STORE`; `INVALID_EXPORT` for a range beyond the file
   */
  download(
    id: string,
    options?: { readonly range?: ByteRange | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<ExportDownload>;
  /**
   * The database as it is now, made while it is read and kept nowhere: it cannot go on after a break, as a job can.
   * @throws `INVALID_EXPORT`, `TABLE_MISSING`, `EXPORT_BUSY`, `LOCAL_DATABASE`; where a copy has to be taken, `DISK_LIMIT` and `SNAPSHOT_UNSTEADY`
   */
  stream(selection?: StreamSelection, options?: { readonly signal?: AbortSignal | undefined }): Promise<ExportStream>;
}
