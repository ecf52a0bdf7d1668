import type { ExportJob } from "../../../exports/export-job.js";
import { CliError } from "../../cli-error.js";
import type { DownloadWork } from "./download-options.js";
import { requestFile } from "./file-offer.js";
import { createStreamSink } from "./stream-sink.js";
import { downloadProgress, retryNote } from "./tell-download.js";
import { transfer } from "./transfer.js";
import { wrongHash } from "./wrong-hash.js";

/**
 * Writes a job's file to a stream. A connection that breaks off is taken up again; a process that ends is not.
 * @throws CliError also where what was written turns out to be wrong: then nobody must use it
 */
export async function downloadToStream(
  job: ExportJob,
  artifact: { readonly bytes: number; readonly sha256: string },
  stream: NodeJS.WriteStream,
  { client, report, signal }: DownloadWork,
): Promise<void> {
  const sink = createStreamSink(stream);
  let etag: string | null = null;
  const show = (): void => report.progress(downloadProgress("export", sink.bytes, artifact.bytes, job.id));
  show();
  await transfer(
    client,
    sink,
    {
      async offer() {
        const offer = await requestFile(client, job.id, { start: sink.bytes, etag, signal });
        etag = offer.etag;
        return offer;
      },
      async begin() {
        if (sink.bytes === 0) return;
        throw new CliError("CHANGED", "the download broke off, and the server cannot go on where it did", {
          hint: "What was written to standard output is incomplete: begin again.",
        });
      },
      onBytes: show,
      onRetry: (error, delayMs) => retryNote(report, error, delayMs),
      total: () => artifact.bytes,
    },
    signal,
  );
  const digest = sink.digest();
  if (digest !== artifact.sha256) throw wrongHash(digest, artifact.sha256, "What was written must not be used.");
}
