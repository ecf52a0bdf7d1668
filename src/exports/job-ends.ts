import { ReplicaError } from "../errors.js";
import { beforeAbort } from "../threads/before-abort.js";
import type { ExportJob } from "./export-job.js";

/** News may be lost with the thread that they come from. */
const LOOK_EVERY_MS = 1_000;
/** A thread that ends so often in a row does not go on with the job. */
const MAX_FAILED_LOOKS = 3;

/** Waits for jobs to end. Whoever waits keeps the process from ending. */
export class JobEnds {
  readonly #look: (id: string) => Promise<ExportJob>;
  readonly #nudges = new Map<string, Set<() => void>>();

  constructor(look: (id: string) => Promise<ExportJob>) {
    this.#look = look;
  }

  /** Something has become of the job. */
  nudge(id: string): void {
    for (const wake of this.#nudges.get(id) ?? []) wake();
  }

  nudgeAll(): void {
    for (const id of [...this.#nudges.keys()]) this.nudge(id);
  }

  /** Resolves with the job once it has completed or failed. @throws what looking throws; the signal's reason */
  async wait(id: string, signal: AbortSignal | undefined): Promise<ExportJob> {
    for (let failedLooks = 0; ; ) {
      const nudge = this.#nextNudge(id);
      try {
        const job = await beforeAbort(this.#look(id), signal);
        if (job.state === "completed" || job.state === "failed") return job;
        failedLooks = 0;
        await beforeAbort(nudge.promise, signal);
      } catch (error) {
        failedLooks += 1;
        const goesOn = error instanceof ReplicaError && error.code === "WORKER_FAILED" && !signal?.aborted;
        if (!goesOn || failedLooks >= MAX_FAILED_LOOKS) throw error;
        await beforeAbort(nudge.promise, signal);
      } finally {
        nudge.forget();
      }
    }
  }

  #nextNudge(id: string): { readonly promise: Promise<void>; forget(): void } {
    let wake = (): void => {};
    const promise = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const timer = setTimeout(wake, LOOK_EVERY_MS);
    const wakes = this.#nudges.get(id) ?? new Set();
    this.#nudges.set(id, wakes.add(wake));
    const forget = (): void => {
      clearTimeout(timer);
      wakes.delete(wake);
      if (wakes.size === 0 && this.#nudges.get(id) === wakes) this.#nudges.delete(id);
    };
    return { promise, forget };
  }
}
