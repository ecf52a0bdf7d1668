/** A job that is being worked on. */
interface RunningJob {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** Gives jobs their turn: so many at once, in the order they were added. */
export class JobQueue {
  readonly #concurrency: number;
  readonly #run: (id: string, signal: AbortSignal) => Promise<void>;
  readonly #waiting: string[] = [];
  readonly #running = new Map<string, RunningJob>();
  #closed = false;

  /** @param run works on a job until it has ended, or rejects where the signal cut it short */
  constructor(concurrency: number, run: (id: string, signal: AbortSignal) => Promise<void>) {
    this.#concurrency = concurrency;
    this.#run = run;
  }

  /** Jobs that wait or run. */
  get size(): number {
    return this.#waiting.length + this.#running.size;
  }

  /** Whether a job has had its turn and has not ended. */
  isRunning(id: string): boolean {
    return this.#running.has(id);
  }

  add(id: string): void {
    this.#waiting.push(id);
    this.#next();
  }

  /** Takes a job out, wherever it is; resolves when nothing works on it any more. */
  async cancel(id: string, reason: unknown): Promise<void> {
    const place = this.#waiting.indexOf(id);
    if (place >= 0) this.#waiting.splice(place, 1);
    const running = this.#running.get(id);
    running?.abort.abort(reason);
    await running?.ended;
  }

  /** Cuts short what runs; resolves when nothing is worked on any more. */
  async close(reason: unknown): Promise<void> {
    this.#closed = true;
    this.#waiting.length = 0;
    await Promise.all([...this.#running.keys()].map((id) => this.cancel(id, reason)));
  }

  #next(): void {
    while (!this.#closed && this.#running.size < this.#concurrency) {
      const id = this.#waiting.shift();
      if (id === undefined) return;
      const abort = new AbortController();
      const ended = this.#run(id, abort.signal)
        .catch((error: unknown) => {
          if (!abort.signal.aborted) process.emitWarning(error instanceof Error ? error : new Error(String(error)));
        })
        .then(() => {
          this.#running.delete(id);
          this.#next();
        });
      this.#running.set(id, { abort, ended });
    }
  }
}
