import { ReplicaError } from "../../errors.js";
import { beforeAbort } from "../../threads/before-abort.js";
import type { ArtifactWriter } from "../artifacts/artifact-store.js";
import type { DumpReader } from "../dump/dump-reader.js";
import { openDump } from "../dump/open-dump.js";
import { takeSnapshot } from "../dump/take-snapshot.js";
import { exportFileName } from "../export-file-name.js";
import { FILE_FORMS } from "../formats/file-form.js";
import { tablesSelection } from "../tables-selection.js";
import type { JobContext } from "./job-context.js";
import type { JobRecord, RecordedPart } from "./job-record.js";
import { createWholeHash, loadWholeHash, type WholeHash } from "./whole-hash.js";
import { writeParts } from "./write-parts.js";

/** How long the end of an attempt waits for the store to let go. */
const CLOSE_GRACE_MS = 3_000;

/** A place in an artifact to go on from. */
interface OpenedArtifact {
  readonly writer: ArtifactWriter;
  /** Of all parts so far. */
  readonly whole: WholeHash;
  readonly last: RecordedPart | null;
}

/**
 * Takes a job from where its books say it is to `completed`, once: what is recorded stays whatever happens, and the next attempt goes on there. What is
 * not as it was recorded (a snapshot or half file that is gone or changed, a dump that another version makes) is begun anew, since all of an
 * artifact comes from one snapshot by one form.
 * @throws whatever failed, the signal's reason
 */
export async function attemptJob(id: string, context: JobContext, signal: AbortSignal): Promise<void> {
  if (context.jobs.parts(id).at(-1)?.next === null) {
    // Only the last step is missing, which needs no snapshot.
    const opened = await reopenArtifact(existing(id, context), context, signal);
    if (opened !== null) return await usingWriter(opened, (artifact) => complete(id, context, artifact, signal));
  }
  await ensureSnapshot(id, context, signal);
  const { job, except } = existing(id, context);
  const request = { format: job.format, selection: tablesSelection(job.tables, except) };
  const dump = await openDump({ file: context.folders.snapshot(id), kind: "snapshot", request }, signal);
  try {
    await usingWriter(await openArtifact(id, dump, context, signal), async (artifact) => {
      await writeDump(id, dump, artifact, context, signal);
      await complete(id, context, artifact, signal);
    });
  } finally {
    await dump.close();
  }
}

async function writeDump(
  id: string,
  dump: DumpReader,
  artifact: OpenedArtifact,
  { jobs, room, onChange }: JobContext,
  signal: AbortSignal,
): Promise<void> {
  const record: Parameters<typeof writeParts>[0]["record"] = (part) => {
    // Nobody waits for what was under way when it was cut short, and the books may be closed.
    signal.throwIfAborted();
    jobs.recordPart(id, part);
    onChange(id);
  };
  await writeParts({ dump, ...artifact, room: (bytes) => room.afterBytes(bytes), record }, signal);
  signal.throwIfAborted();
}

async function complete(
  id: string,
  { jobs, onChange }: JobContext,
  { writer, whole }: OpenedArtifact,
  signal: AbortSignal,
): Promise<void> {
  const location = await beforeAbort(writer.complete(jobs.parts(id)), signal);
  jobs.complete(id, { location, sha256: whole.digest() });
  onChange(id);
}

async function ensureSnapshot(id: string, context: JobContext, signal: AbortSignal): Promise<void> {
  const { jobs, store, folders, room } = context;
  const { database, snapshotBytes, ticket } = existing(id, context);
  if (snapshotBytes !== null && (await folders.snapshotBytes(id)) === snapshotBytes) return;
  if (ticket !== null) await beforeAbort(store.remove(ticket, null), signal);
  jobs.forgetSnapshot(id);
  context.onChange(id);
  await folders.removeWork(id);
  await folders.makeWork(id);
  const tooMuch = new AbortController();
  const onProgress = () => void room.check().catch((error: unknown) => tooMuch.abort(error));
  await room.check();
  const limits = await room.limits();
  const both = AbortSignal.any([signal, tooMuch.signal]);
  await takeSnapshot({ database, target: folders.snapshot(id), onProgress, ...limits }, both);
  signal.throwIfAborted();
  jobs.recordSnapshot(id, (await folders.snapshotBytes(id)) ?? 0);
}

async function openArtifact(
  id: string,
  dump: DumpReader,
  context: JobContext,
  signal: AbortSignal,
): Promise<OpenedArtifact> {
  const { jobs, store, onChange } = context;
  const record = existing(id, context);
  if (record.fingerprint === dump.fingerprint) {
    const opened = await reopenArtifact(record, context, signal);
    if (opened !== null) return opened;
  }
  const { database, job, ticket } = record;
  if (ticket !== null) await beforeAbort(store.remove(ticket, null), signal);
  const fileName = exportFileName(database, { format: job.format, tables: job.tables, at: new Date(job.createdAt) });
  const { mediaType } = FILE_FORMS[job.format];
  const beginning = store.begin({ id, fileName, mediaType });
  const begun = await beforeAbort(beginning, signal).catch((error: unknown) => {
    // The job may be removed before its ticket is known: then nobody else finds what is begun all the same.
    const removeLate = async (late: string) => jobs.get(id) === null && store.remove(late, null);
    void beginning.then(removeLate).catch(() => {});
    throw error;
  });
  jobs.beginArtifact(id, dump, begun);
  onChange(id);
  const opened = await reopenArtifact(existing(id, context), context, signal);
  if (opened === null) {
    throw new ReplicaError("ARTIFACT_STORE", "What has just been begun in the store of exports is not there", {
      hint: "Look whether another program removes what exports write.",
    });
  }
  return opened;
}

/** `null` where it has to be begun anew. */
async function reopenArtifact(
  { job, ticket }: JobRecord,
  { jobs, store }: JobContext,
  signal: AbortSignal,
): Promise<OpenedArtifact | null> {
  if (ticket === null) return null;
  const parts = jobs.parts(job.id);
  const last = parts.at(-1) ?? null;
  const keptState = last?.hashState ?? null;
  if (!store.rereads && last !== null && keptState === null) return null;
  const whole = store.rereads ? createWholeHash() : await loadWholeHash(keptState);
  if (whole === null) return null;
  const resumed = store.resume(ticket, parts, (bytes) => {
    signal.throwIfAborted();
    whole.update(bytes);
  });
  // One that nobody waits for any more is closed when it comes.
  const closeLate = () => void resumed.then((writer) => writer?.close()).catch(() => {});
  const writer = await beforeAbort(resumed, signal).catch((error: unknown) => {
    closeLate();
    throw error;
  });
  return writer === null ? null : { writer, whole, last };
}

async function usingWriter(artifact: OpenedArtifact, work: (artifact: OpenedArtifact) => Promise<void>): Promise<void> {
  try {
    await work(artifact);
  } finally {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_GRACE_MS);
    });
    await Promise.race([artifact.writer.close().catch(() => {}), late]);
    clearTimeout(timer);
  }
}

function existing(id: string, { jobs }: JobContext): JobRecord {
  const record = jobs.get(id);
  if (record === null) throw new ReplicaError("STOPPED", `The export job ${id} was removed`);
  return record;
}
