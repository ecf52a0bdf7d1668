import type { ExportJob } from "../export-job.js";

/** A state is told at once, everything else so often. */
const EVERY_MS = 250;

interface Told {
  readonly state: ExportJob["state"];
  readonly atMs: number;
  timer: NodeJS.Timeout | null;
}

/** Tells how jobs get on, but no job more often than anybody looks. The last that is told of a job is how it is. */
export class JobEvents {
  readonly #read: (id: string) => ExportJob | null;
  readonly #tell: (job: ExportJob) => void;
  readonly #onError: (error: unknown) => void;
  readonly #told = new Map<string, Told>();

  /**
   * @param read gives a job as it is now; `null` where it is gone
   * @param onError is given what reading or telling throws: the job itself is not to fail of it
   */
  constructor(
    read: (id: string) => ExportJob | null,
    tell: (job: ExportJob) => void,
    onError: (error: unknown) => void,
  ) {
    this.#read = read;
    this.#tell = tell;
    this.#onError = onError;
  }

  /** Never throws. */
  changed(id: string): void {
    try {
      this.#changed(id);
    } catch (error) {
      this.#onError(error);
    }
  }

  close(): void {
    for (const id of this.#told.keys()) this.#forget(id);
  }

  #changed(id: string): void {
    const last = this.#told.get(id);
    const job = this.#read(id);
    if (job === null) {
      this.#forget(id);
      return;
    }
    const waitMs = last === undefined || last.state !== job.state ? 0 : last.atMs + EVERY_MS - performance.now();
    if (waitMs <= 0) {
      this.#say(job);
      return;
    }
    if (last === undefined || last.timer !== null) return;
    last.timer = setTimeout(() => {
      last.timer = null;
      this.changed(id);
    }, waitMs).unref();
  }

  #say(job: ExportJob): void {
    this.#forget(job.id);
    const isOver = job.state === "completed" || job.state === "failed";
    if (!isOver || job.callback?.state === "pending") {
      this.#told.set(job.id, { state: job.state, atMs: performance.now(), timer: null });
    }
    this.#tell(job);
  }

  #forget(id: string): void {
    const timer = this.#told.get(id)?.timer;
    if (timer) clearTimeout(timer);
    this.#told.delete(id);
  }
}
