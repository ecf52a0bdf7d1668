import type { ArtifactStore } from "../artifacts/artifact-store.js";
import { createDirectoryStore } from "../artifacts/directory-store.js";
import { createS3Store } from "../artifacts/s3-store.js";
import { type CallbackQueue, createCallbackQueue } from "../callbacks/callback-queue.js";
import { createCallbackSender } from "../callbacks/callback-sender.js";
import type { ExportJob } from "../export-job.js";
import { ArtifactReaders } from "./artifact-readers.js";
import { CallbackStore } from "./callback-store.js";
import { DiskRoom } from "./disk-room.js";
import type { EngineOptions } from "./export-engine.js";
import { JobEvents } from "./job-events.js";
import { JobFolders } from "./job-folders.js";
import { JobQueue } from "./job-queue.js";
import { JobStore } from "./job-store.js";
import { JobSweeper } from "./job-sweeper.js";
import { type OpenBooks, openBooks } from "./open-books.js";
import { RETRY_RULES, type RetryRules, runJob } from "./run-job.js";

/** What tests set otherwise. */
export interface EngineTuning {
  readonly retry?: Partial<RetryRules>;
  /** Default: an hour. */
  readonly sweepEveryMs?: number;
  /** How long a download may be left alone. Default: five minutes. */
  readonly readerIdleMs?: number;
  /** Puts something between the engine and its store. */
  readonly wrapStore?: (store: ArtifactStore) => ArtifactStore;
}

/** An engine that is open. */
export interface EngineParts {
  readonly jobs: JobStore;
  readonly queue: JobQueue;
  readonly events: JobEvents;
  readonly sweeper: JobSweeper;
  readonly readers: ArtifactReaders;
  /** @param reason what work under way is cut short with */
  close(reason: unknown): Promise<void>;
}

/** Opens the books and the store, sweeps, and lets jobs and callbacks go on. @throws `LOCAL_DATABASE`, `MISSING_DRIVER`, `ARTIFACT_STORE` */
export async function openEngineParts(
  options: EngineOptions,
  onJob: (job: ExportJob) => void,
  tuning: EngineTuning,
): Promise<EngineParts> {
  const books = await openBooks(options.dir);
  try {
    return await startParts(options, books, onJob, tuning);
  } catch (error) {
    books.close();
    throw error;
  }
}

async function startParts(
  options: EngineOptions,
  books: OpenBooks,
  onJob: (job: ExportJob) => void,
  tuning: EngineTuning,
): Promise<EngineParts> {
  const { dir, retentionSeconds } = options;
  const made = options.s3 === undefined ? createDirectoryStore({ dir }) : await createS3Store(options.s3);
  const store = tuning.wrapStore?.(made) ?? made;
  const jobs = new JobStore(books.database);
  const events = new JobEvents((id) => jobs.get(id)?.job ?? null, onJob, warn);
  const folders = new JobFolders(dir);
  const callbacks = startCallbacks(options, new CallbackStore(books.database, (id) => events.changed(id)));
  const sweeper: JobSweeper = new JobSweeper({
    jobs,
    store,
    folders,
    retentionSeconds,
    callbacks: callbacks !== null,
    isWorkedOn: (id) => queue.isRunning(id),
  });
  const onChange = (id: string) => {
    events.changed(id);
    // It may have ended. Looking costs next to nothing.
    callbacks?.wake();
  };
  const context = {
    jobs,
    store,
    folders,
    room: new DiskRoom(options),
    makeRoom: () => sweeper.sweep(),
    onChange,
  };
  const rules = { ...RETRY_RULES, ...tuning.retry };
  const queue: JobQueue = new JobQueue(options.concurrency, (id, signal) => runJob(id, context, rules, signal));
  const readers = new ArtifactReaders(store, tuning.readerIdleMs);
  for (const id of jobs.unfinished()) queue.add(id);
  callbacks?.wake();
  const sweepNow = () => void sweeper.sweep().catch(warn);
  sweepNow();
  const timer = setInterval(sweepNow, tuning.sweepEveryMs ?? 3_600_000).unref();
  return {
    jobs,
    queue,
    events,
    sweeper,
    readers,
    async close(reason) {
      clearInterval(timer);
      sweeper.stop();
      await Promise.all([queue.close(reason), callbacks?.close(), readers.closeAll()]);
      events.close();
      await store.close();
      books.close();
    },
  };
}

/** `null` where no callbacks are set up: those that are in the books wait. */
function startCallbacks(
  { callbacks }: EngineOptions,
  book: CallbackStore,
): Pick<CallbackQueue, "wake" | "close"> | null {
  if (callbacks === null) return null;
  const sender = createCallbackSender({ secrets: callbacks.secrets, allowPrivate: callbacks.allowPrivate });
  const giveUpAfterMs = callbacks.giveUpAfterSeconds * 1_000;
  const queue = createCallbackQueue({ book, sender, giveUpAfterMs, onError: warn });
  return {
    wake: () => queue.wake(),
    async close() {
      await queue.close();
      await sender.close();
    },
  };
}

/** What nobody has asked for cannot fail a call. */
function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
