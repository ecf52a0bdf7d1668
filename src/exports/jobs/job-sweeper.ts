import { ReplicaError } from "../../errors.js";
import type { ArtifactStore } from "../artifacts/artifact-store.js";
import type { JobFolders } from "./job-folders.js";
import type { JobStore } from "./job-store.js";

export interface JobSweeperOptions {
  readonly jobs: JobStore;
  readonly store: ArtifactStore;
  readonly folders: JobFolders;
  readonly retentionSeconds: number;
  /** Whether callbacks are sent: one that is pending keeps its job. */
  readonly callbacks: boolean;
  /** Whether a job is still being worked on: what it has is not removed under its hands. */
  readonly isWorkedOn: (id: string) => boolean;
}

/** Removes what nobody needs any more. */
export class JobSweeper {
  readonly #options: JobSweeperOptions;
  #current: Promise<boolean> | null = null;
  #stopped = false;

  constructor(options: JobSweeperOptions) {
    this.#options = options;
  }

  /**
   * Removes jobs that ended longer ago than they are kept, what removals and failures before this left, and files under the folder that are no job's.
   * One at a time: whoever asks meanwhile shares it. What cannot be removed now, such as from a bucket that is away, is left for the next time.
   * @returns whether anything was removed
   */
  sweep(): Promise<boolean> {
    this.#current ??= this.#sweep().finally(() => {
      this.#current = null;
    });
    return this.#current;
  }

  /** From now on nothing is removed from the books, and nothing new is begun. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Removes the files of a job that is marked as removed, and it from the books.
   * @throws `ARTIFACT_STORE`, `STOPPED`: the job stays marked, and a later sweep tries again
   */
  async remove(id: string): Promise<void> {
    const { jobs, store, folders } = this.#options;
    this.#throwIfStopped();
    const left = jobs.leftovers().find((job) => job.id === id);
    if (left === undefined) return;
    await folders.removeWork(id);
    if (left.ticket !== null || left.location !== null) await store.remove(left.ticket, left.location);
    this.#throwIfStopped();
    if (left.removed) jobs.delete(id);
    else jobs.forgetFiles(id);
  }

  #throwIfStopped(): void {
    if (this.#stopped)
      throw new ReplicaError("STOPPED", "The exports were stopped; the rest is removed when they go on.");
  }

  async #sweep(): Promise<boolean> {
    const { jobs, folders, isWorkedOn } = this.#options;
    const failure = this.#markExpired();
    let removed = false;
    for (const { id } of jobs.leftovers()) {
      if (isWorkedOn(id)) continue;
      removed =
        (await this.remove(id).then(
          () => true,
          () => false,
        )) || removed;
    }
    const orphans = await folders.removeOrphans((place, id) => {
      if (this.#stopped || isWorkedOn(id)) return true;
      const state = jobs.get(id)?.job.state;
      return state === "queued" || state === "running" || (state === "completed" && place === "files");
    });
    if (failure !== null) throw failure.error;
    return orphans > 0 || removed;
  }

  /** Books on a full disk take no mark, which is no reason to keep what was marked before. */
  #markExpired(): { readonly error: unknown } | null {
    const { jobs, retentionSeconds, callbacks } = this.#options;
    try {
      for (const id of jobs.expired(Date.now() - retentionSeconds * 1_000, { callbacks })) jobs.markRemoved(id);
      return null;
    } catch (error) {
      return { error };
    }
  }
}
