import { ReplicaError } from "./errors.js";

/** Everything between one `start()` and the `stop()` after it. */
export interface Session {
  /** Whether it can be asked. */
  readonly opened: boolean;
  open(): Promise<void>;
  /** Also while it is being opened, and where that failed. Leaves nothing behind. */
  close(): Promise<void>;
}

/** What can be started and stopped, again and again: one session at a time. */
export class Lifecycle<S extends Session> {
  readonly #create: () => S;
  readonly #stopped: () => ReplicaError;
  #session: S | null = null;
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  /** @param stopped what is thrown where there is no session to be asked */
  constructor(create: () => S, stopped: () => ReplicaError) {
    this.#create = create;
    this.#stopped = stopped;
  }

  /** A second call does nothing; one after a failure tries again. @throws what the session's `open` throws; `STOPPED` while it stops */
  start(): Promise<void> {
    if (this.#stopping) {
      return Promise.reject(new ReplicaError("STOPPED", "stop() is under way: await it before start()"));
    }
    this.#starting ??= this.#start();
    return this.#starting;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  /** @throws what `stopped` makes */
  get session(): S {
    if (!this.#session?.opened || this.#stopping) throw this.#stopped();
    return this.#session;
  }

  async #start(): Promise<void> {
    try {
      this.#session = this.#create();
      await this.#session.open();
    } catch (error) {
      // What cannot be closed is not why it did not start.
      await this.#session?.close().catch(() => {});
      this.#session = null;
      this.#starting = null;
      throw error;
    }
  }

  async #stop(): Promise<void> {
    const starting = this.#starting;
    try {
      await this.#session?.close();
    } finally {
      await starting?.catch(() => {});
      this.#session = null;
      this.#starting = null;
    }
  }
}
