import { statfs } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { ExportJob } from "../../../exports/export-job.js";
import { CliError } from "../../cli-error.js";
import { printable } from "../../printable.js";
import { showBytes } from "../../progress/show-amount.js";
import { fetchJob } from "../fetch-job.js";
import { finishedArtifact } from "../finished-artifact.js";
import { findDestination, nameIn } from "./destination.js";
import { diskError } from "./disk-error.js";
import type { DownloadOptions, DownloadWork } from "./download-options.js";
import { type FileOffer, requestFile } from "./file-offer.js";
import { harmlessName } from "./harmless-name.js";
import { keepTrying } from "./keep-trying.js";
import { openPartFile, type PartFile } from "./part-file.js";
import { partPaths, removePart } from "./part-paths.js";
import { putInPlace } from "./put-in-place.js";
import { verifyTarget } from "./target.js";
import { downloadProgress, retryNote } from "./tell-download.js";
import { transfer } from "./transfer.js";
import { wrongHash } from "./wrong-hash.js";

type Artifact = NonNullable<ExportJob["artifact"]>;

/** A download that is in its place. */
export interface DownloadedFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** How much of it an earlier process had left. */
  readonly resumedAt: number;
  /** Whether it was there already, and nothing had to be moved. */
  readonly unchanged: boolean;
}

/**
 * Downloads into `<file>.part`, going on with what an earlier process left, and puts it in place once it is proven.
 * @throws CliError
 */
export async function downloadToFile(
  job: ExportJob,
  offered: Artifact,
  { out, force }: DownloadOptions,
  work: DownloadWork,
): Promise<DownloadedFile> {
  const { client, report, signal } = work;
  const destination = await findDestination(out);
  let first: FileOffer | null = null;
  if ("folder" in destination) {
    first = await keepTrying(() => requestFile(client, job.id, { start: 0, etag: null, signal }), {
      mark: () => 0,
      onRetry: (error, delayMs) => retryNote(report, error, delayMs),
      signal,
    });
  }
  const name = harmlessName(first?.contentDisposition ?? null) ?? `export-${job.id}.${job.format}`;
  const target = nameIn(destination, name);
  const label = printable(basename(target));
  let artifact = offered;
  let part: PartFile | undefined;
  const checking = (bytes: number): void =>
    report.progress(downloadProgress(`Checking ${label}`, bytes, artifact.bytes, job.id));
  const show = (): void => report.progress(downloadProgress(label, part?.bytes ?? 0, artifact.bytes, job.id));
  const again = `starfish-replica export download ${job.id}${out === undefined ? "" : ` -o ${quoted(out)}`}`;
  const kept = `What has arrived stays in ${printable(partPaths(target).part)}. To go on from there: ${again}`;

  try {
    if (await verifyTarget(target, artifact, { force, onRead: checking, signal })) {
      await removePart(target);
      return { file: target, ...shape(artifact), resumedAt: 0, unchanged: true };
    }
    const note = { job: job.id, etag: first?.etag ?? null, ...shape(artifact) };
    part = await openPartFile(target, note, { onRead: checking, signal });
    const { found } = part;
    if (found > 0) {
      const text = `Going on at ${showBytes(found, artifact.bytes)} of ${label}`;
      report.note(text, { event: "resume", bytes: found, totalBytes: artifact.bytes });
      first?.body.destroy();
      first = null;
    }
    await verifyRoom(target, artifact.bytes - found);
    const sink = part;
    let patched = found > 0;
    const fetchRest = (): Promise<void> =>
      transfer(
        client,
        sink,
        {
          async offer() {
            const taken = first ?? (await requestFile(client, job.id, { start: sink.bytes, etag: sink.etag, signal }));
            first = null;
            return taken;
          },
          async begin({ etag }) {
            if (sink.bytes > 0) {
              report.note(`${label} has changed at the server: beginning anew`, {
                event: "restart",
                reason: "changed",
              });
              artifact = finishedArtifact(await fetchJob(client, job.id, signal));
            }
            await sink.begin({ job: job.id, etag, ...shape(artifact) });
          },
          onBytes: show,
          onRetry: (error, delayMs) => {
            patched = true;
            retryNote(report, error, delayMs);
          },
          total: () => artifact.bytes,
        },
        signal,
      );
    show();
    await fetchRest();
    if (patched && sink.digest() !== artifact.sha256) {
      // A loss of power damages what lay on the disk, and some servers put the text of an error where they break off.
      report.note(`What came of ${label} so far is damaged: beginning anew`, { event: "restart", reason: "damaged" });
      await sink.begin({ job: job.id, etag: sink.etag, ...shape(artifact) });
      await fetchRest();
    }
    const digest = sink.digest();
    if (digest !== artifact.sha256) {
      await sink.remove();
      throw wrongHash(digest, artifact.sha256, "Nothing was put in place.");
    }
    await sink.finish();
    await putInPlace(target, { force });
    return { file: target, ...shape(artifact), resumedAt: found, unchanged: false };
  } catch (error) {
    if (signal.aborted && part !== undefined) {
      report.note(`Stopped at ${showBytes(part.bytes, artifact.bytes)}. ${kept}`, {
        event: "interrupted",
        bytes: part.bytes,
      });
    }
    throw withKept(diskError(error, target, kept), part, kept);
  } finally {
    first?.body.destroy();
    await part?.close();
  }
}

/** For a shell, where it needs that. */
function quoted(path: string): string {
  const shown = printable(path);
  return /^[\w./+@%-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}

/** Without what else a server may say of it. */
function shape({ bytes, sha256 }: Artifact): Artifact {
  return { bytes, sha256 };
}

/** Before hours of work: a disk that runs full meanwhile is noticed all the same. */
async function verifyRoom(target: string, bytes: number): Promise<void> {
  const disk = await statfs(dirname(target)).catch(() => null);
  // Some network file systems know nothing, and say 0 of everything.
  if (disk === null || disk.blocks === 0 || disk.bavail * disk.bsize >= bytes) return;
  throw new CliError(
    "DISK_FULL",
    `${printable(target)} needs ${showBytes(bytes)} more, and its disk has ${showBytes(disk.bavail * disk.bsize)} left`,
    { hint: "Make room, or choose another disk with -o FILE." },
  );
}

/** Where waiting may help, what has come so far is worth something. */
function withKept(error: unknown, part: PartFile | undefined, kept: string): unknown {
  if (!(error instanceof CliError) || !error.retryable || !part?.bytes) return error;
  return new CliError(error.code, error.message, { hint: kept, cause: error });
}
