import type { StoredPart } from "../artifacts/artifact-store.js";
import type { ExportJob } from "../export-job.js";
import type { DumpPartEnd, DumpPosition } from "../formats/dump-position.js";

/** A job with what going on with it needs. */
export interface JobRecord {
  readonly job: ExportJob;
  /** Path of the file that it exports, whatever the options say by now. */
  readonly database: string;
  /** Tables that are left out where none are named, as it was when the job was taken in. */
  readonly except: readonly string[];
  /** Size of the snapshot; `null`: there is none yet. */
  readonly snapshotBytes: number | null;
  /** Of the dump that the parts are of. */
  readonly fingerprint: string | null;
  readonly ticket: string | null;
  readonly location: string | null;
}

/** A part that is durable in the store, with where the dump goes on after it. */
export interface RecordedPart extends StoredPart {
  readonly rows: number;
  readonly tablesDone: number;
  /** `null` after the last. */
  readonly next: DumpPosition | null;
  /** The hash of the whole up to here. Only that of the last part is kept. */
  readonly hashState: Uint8Array | null;
}

/** A part that is to be recorded. */
export interface NewPart extends RecordedPart {
  readonly rowsOf: DumpPartEnd["rowsOf"];
}
