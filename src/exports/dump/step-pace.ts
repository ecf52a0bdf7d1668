const FIRST_BYTES = 1024 * 1024;
const FIRST_STEP_MS = 16;
/** A writer that finds a step under way waits for its end, and looks only every 50 to 100 ms by then. */
const LONGEST_STEP_MS = 120;
const MAX_GROWTH = 4;
const LONGEST_PAUSE_MS = 250;

/** How much is copied at a time: what takes as long as a writer may have to wait. Pages everywhere. */
export class StepPace {
  #stepMs: number = FIRST_STEP_MS;
  #step: number;
  #done = 0;
  #largestStep = 0;
  #restarts = 0;
  #unsure = false;

  constructor(pageBytes: number) {
    this.#step = Math.max(1, FIRST_BYTES / pageBytes);
  }

  /** A step has ended, after which so many are copied. @returns whether it has copied anything */
  stepped(done: number, ms: number): boolean {
    const copied = done > this.#done ? done - this.#done : done;
    const isProgress = done !== this.#done;
    this.#done = done;
    if (!isProgress) return false;
    // A page or two say nothing of the speed.
    if (copied * 2 < this.#step) return true;
    this.#largestStep = Math.max(this.#largestStep, copied);
    const fitting = (copied / Math.max(ms, 0.1)) * this.#stepMs;
    this.#step = Math.max(1, Math.floor(Math.min(fitting, this.#step * MAX_GROWTH)));
    return true;
  }

  /** A write has undone the copy. @returns how long to leave it be, in milliseconds */
  restarted(): number {
    this.#restarts += 1;
    this.#stepMs = Math.min(LONGEST_STEP_MS, this.#stepMs * 2);
    // SQLite begins anew in this step or in the next: one page shows.
    this.#unsure = true;
    this.#done = 0;
    return Math.min(LONGEST_PAUSE_MS, 2 ** this.#restarts);
  }

  /** Whether one step has copied about all there is. */
  fitsOneStep(total: number): boolean {
    return this.#largestStep >= total - 3;
  }

  /** How many to copy next; 1 where it is the last, with which the copy is brought to the disk while the source is locked. */
  next(remaining: number): number {
    if (this.#unsure || remaining <= 1) {
      this.#unsure = false;
      return 1;
    }
    return Math.min(this.#step, remaining - 1);
  }
}
