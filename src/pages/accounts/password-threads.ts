import { ReplicaError, toReplicaError } from "../../errors.js";
import { startThread, type ThreadLink } from "../../threads/start-thread.js";
import type { PasswordCost } from "./password-hash.js";

export interface PasswordThreadsOptions {
  /** The program that calls `servePasswords`. */
  readonly entry: string;
  /** Hashes computed at once, each in a thread and about 47 MB of its own. Default 2. */
  readonly threads?: number;
  /** Hashes that wait for a thread; another one is refused. Default 64: the last of them waits for about three seconds. */
  readonly maxWaiting?: number;
  /** A thread that has had nothing to do for so long ends, and gives back its memory. Default 10 000. */
  readonly idleMs?: number;
}

/** Ends it when there is nothing to do. */
type Idle = { readonly thread: ThreadLink; readonly timer: NodeJS.Timeout };

/** Says to the program which of its parts it is. */
export const PASSWORD_THREAD = "passwords";

/** Computes Argon2id in a few threads, so that neither the calls to the accounts nor the host's own work wait for it. */
export class PasswordThreads {
  readonly #options: Required<PasswordThreadsOptions>;
  readonly #idle: Idle[] = [];
  readonly #busy = new Set<ThreadLink>();
  readonly #waiting: { readonly start: () => void; readonly refuse: (error: ReplicaError) => void }[] = [];
  #running = 0;
  #isClosed = false;

  constructor({ entry, threads = 2, maxWaiting = 64, idleMs = 10_000 }: PasswordThreadsOptions) {
    this.#options = { entry, threads, maxWaiting, idleMs };
  }

  /**
   * 32 bytes of Argon2id. The password's bytes are copied, and the copy wiped.
   * @throws `RATE_LIMITED` where too many wait already, `STOPPED` after `close`, `WORKER_FAILED`
   */
  async derive(password: Uint8Array, salt: Uint8Array, cost: PasswordCost): Promise<Uint8Array> {
    await this.#turn();
    try {
      const thread = this.#take();
      try {
        return (await thread.link.call("derive", [password, salt, cost])) as Uint8Array;
      } finally {
        this.#giveBack(thread);
      }
    } finally {
      const next = this.#waiting.shift();
      // It takes this one's place, which nobody may take meanwhile.
      if (next === undefined) this.#running -= 1;
      else next.start();
    }
  }

  /** Rejects what waits and what is being computed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(stopped());
    for (const { timer } of this.#idle) clearTimeout(timer);
    const threads = [...this.#busy, ...this.#idle.splice(0).map(({ thread }) => thread)];
    for (const { link, terminate } of threads) {
      link.fail(stopped());
      terminate();
    }
    await Promise.all(threads.map(({ ended }) => ended));
  }

  async #turn(): Promise<void> {
    if (this.#isClosed) throw stopped();
    if (this.#running < this.#options.threads) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#options.maxWaiting) throw tooBusy();
    await new Promise<void>((start, refuse) => this.#waiting.push({ start, refuse }));
  }

  #take(): ThreadLink {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (idle.thread.link.failure === undefined) return this.#remember(idle.thread);
    }
    try {
      return this.#remember(
        startThread(this.#options.entry, PASSWORD_THREAD, {
          what: "The thread that computes password hashes",
          afterEnd: "Another one is started for the next",
          lessMemory: "use less of it elsewhere",
        }),
      );
    } catch (error) {
      throw toReplicaError(error, "WORKER_FAILED", "The thread that computes password hashes cannot be started");
    }
  }

  #remember(thread: ThreadLink): ThreadLink {
    this.#busy.add(thread);
    return thread;
  }

  #giveBack(thread: ThreadLink): void {
    this.#busy.delete(thread);
    if (this.#isClosed || thread.link.failure !== undefined) return;
    const timer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(idle), 1);
      thread.terminate();
    }, this.#options.idleMs).unref();
    const idle: Idle = { thread, timer };
    this.#idle.push(idle);
  }
}

function stopped(): ReplicaError {
  return new ReplicaError("STOPPED", "The page server was stopped.");
}

function tooBusy(): ReplicaError {
  return new ReplicaError("RATE_LIMITED", "Too many logins and sign-ups are under way", {
    retryable: true,
    retryAfterMs: 2_000,
    hint: "Try again in a few seconds.",
  });
}
