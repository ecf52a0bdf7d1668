interface Waiter {
  readonly grant: () => void;
}

/** A place in the queue for one run. */
export interface RunTicket {
  /** Resolves when the run may begin. Never rejects: a run that gave up meanwhile calls `release`. */
  readonly granted: Promise<void>;
  /** Moves ahead of everything that nobody is waiting for. */
  promote(): void;
  /** Gives the place back, begun or not. Calling it again does nothing. */
  release(): void;
}

/** Runs at once where nobody says otherwise. */
export const DEFAULT_CONCURRENCY = 8;

/** Bounds how many runs of one group are under way. Runs that somebody waits for go first. */
export class RunLimiter {
  readonly #urgent: Waiter[] = [];
  readonly #waiting: Waiter[] = [];
  #free: number;

  constructor(concurrency: number) {
    this.#free = concurrency;
  }

  enter(urgent: boolean): RunTicket {
    let state: "waiting" | "running" | "released" = "waiting";
    let resolve: () => void = () => {};
    const granted = new Promise<void>((done) => {
      resolve = done;
    });
    const waiter: Waiter = {
      grant: () => {
        state = "running";
        resolve();
      },
    };
    (urgent ? this.#urgent : this.#waiting).push(waiter);
    this.#next();
    return {
      granted,
      promote: () => {
        if (state === "waiting" && remove(this.#waiting, waiter)) this.#urgent.push(waiter);
      },
      release: () => {
        if (state === "running") this.#free += 1;
        else remove(this.#waiting, waiter) || remove(this.#urgent, waiter);
        state = "released";
        this.#next();
      },
    };
  }

  #next(): void {
    while (this.#free > 0) {
      const waiter = this.#urgent.shift() ?? this.#waiting.shift();
      if (!waiter) return;
      this.#free -= 1;
      waiter.grant();
    }
  }
}

function remove(list: Waiter[], waiter: Waiter): boolean {
  const index = list.indexOf(waiter);
  if (index < 0) return false;
  list.splice(index, 1);
  return true;
}
