import type { ControlClient } from "../../control/control-client.js";
import type { Report } from "../../report.js";

/** Where to, as typed. */
export interface DownloadOptions {
  /** A file, a folder, or `-` for standard output. Default: the server's name, in the current folder. */
  readonly out?: string | undefined;
  /** Whether it may replace a file. */
  readonly force: boolean;
}

/** What a download works with. */
export interface DownloadWork {
  readonly client: ControlClient;
  readonly report: Report;
  readonly signal: AbortSignal;
}
