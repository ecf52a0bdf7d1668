import type { TestDatabase } from "../../support/postgres.js";
import { realDelay } from "../../support/real-time.js";

/** Programs at the source that insert and update orders, two of them with transactions that commit late. */
export class BusyWriter {
  /** Rows that were inserted or updated so far. */
  changed = 0;
  readonly #source: TestDatabase;
  readonly #stop = new AbortController();
  readonly #work: Promise<void>[] = [];

  constructor(source: TestDatabase) {
    this.#source = source;
  }

  async start(): Promise<void> {
    this.#work.push(this.#writeAtOnce(), this.#commitLate(50), this.#commitLate(400));
  }

  /** Ends when every transaction is committed. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#work);
  }

  async #writeAtOnce(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#source.query(
        `INSERT INTO orders (customer, amount) SELECT 'new', i FROM generate_series(1, 3) i;
         UPDATE orders SET note = 'changed', updated_at = clock_timestamp() WHERE id IN (SELECT 1 + (random() * 20000)::int FROM generate_series(1, 3))`,
      );
      this.changed += 6;
      await realDelay(20, this.#stop.signal);
    }
  }

  async #commitLate(maxMs: number): Promise<void> {
    const client = await this.#source.connect();
    while (!this.#stop.signal.aborted) {
      await client.query("BEGIN; INSERT INTO orders (customer, amount, updated_at) VALUES ('late', 1, now())");
      await realDelay(Math.random() * maxMs);
      await client.query("INSERT INTO orders (customer, amount, updated_at) VALUES ('later', 1, now()); COMMIT");
      this.changed += 2;
      await realDelay(5, this.#stop.signal);
    }
    await client.end();
  }
}
