const FIRST_BYTES = 1024 * 1024;
const FIRST_STEP_MS = 16;
/** A writer that finds a step under way waits for its end, and by then looks only every 25 to 50 ms; and a busy machine makes a step longer than it was meant. */
const LONGEST_STEP_MS = 50;
const MAX_GROWTH = 4;
const LONGEST_PAUSE_MS = 250;

/** How much is copied at a time: what takes as long as a writer may have to wait. In pages. */
export class StepPace {
  #stepMs: number = FIRST_STEP_MS;
  #step: number;
  #asked = 0;
  #done = 0;
  #largestStep = 0;
  #restarts = 0;

  constructor(pageBytes: number) {
    this.#step = Math.max(1, FIRST_BYTES / pageBytes);
  }

  /**
   * The step that `next` asked for is over.
   * @param done how many are copied now
   * @param written whether somebody has written since the last step
   * @returns whether anything was copied
   */
  stepped(done: number, ms: number, written: boolean): boolean {
    const asked = this.#asked;
    // A copy that began anew may stand where it stood; one that met a lock does.
    const isProgress = asked > 0 && (done !== this.#done || (written && done === asked));
    this.#done = done;
    this.#asked = 0;
    if (!isProgress) return false;
    this.#largestStep = Math.max(this.#largestStep, asked);
    const fitting = (asked / Math.max(ms, 0.1)) * this.#stepMs;
    // Few pages say nothing of the speed.
    if (asked * 2 >= this.#step) this.#step = Math.max(1, Math.floor(Math.min(fitting, this.#step * MAX_GROWTH)));
    return true;
  }

  /** A write has undone the copy. @returns how long to leave it be, in milliseconds */
  restarted(): number {
    this.#restarts += 1;
    this.#stepMs = Math.min(LONGEST_STEP_MS, this.#stepMs * 2);
    return Math.min(LONGEST_PAUSE_MS, 2 ** this.#restarts);
  }

  /** Whether one step has copied about all there is. */
  fitsOneStep(total: number): boolean {
    return this.#largestStep >= total - 3;
  }

  /** How many to copy next. The last page is a step of its own: with it the copy is brought to the disk, while the source is locked. */
  next(remaining: number): number {
    this.#asked = Math.max(1, Math.min(this.#step, remaining - 1));
    return this.#asked;
  }
}
