import type Database from "better-sqlite3";
import type { CallbackBook, PendingCallback } from "../callbacks/callback.js";
import { mapBooksError } from "./map-books-error.js";

/** The callbacks of jobs in the books. @throws `LOCAL_DATABASE`, `DISK_LIMIT` */
export class CallbackStore implements CallbackBook {
  readonly #database: Database.Database;
  readonly #onChange: (jobId: string) => void;

  /** @param onChange is told of every job whose callback is another than before */
  constructor(database: Database.Database, onChange: (jobId: string) => void) {
    this.#database = database;
    this.#onChange = onChange;
  }

  due(nowMs: number, limit: number): readonly PendingCallback[] {
    return this.#guard(
      () =>
        this.#database
          .prepare(
            `SELECT id AS jobId, callback_message_id AS messageId, callback_url AS url, callback_body AS body,
               callback_attempts AS attempts, callback_since_ms AS since
             FROM export_jobs WHERE callback_state = 'pending' AND callback_next_ms <= ? AND removed = 0
             ORDER BY callback_next_ms, number LIMIT ?`,
          )
          .all(nowMs, limit) as PendingCallback[],
    );
  }

  nextDueMs(): number | null {
    const sql = "SELECT min(callback_next_ms) FROM export_jobs WHERE callback_state = 'pending' AND removed = 0";
    return this.#guard(() => this.#database.prepare(sql).pluck().get() as number | null);
  }

  begin(jobId: string, nextTryMs: number): void {
    this.#update("callback_attempts = callback_attempts + 1, callback_next_ms = ?", jobId, nextTryMs);
  }

  delivered(jobId: string): void {
    this.#update("callback_state = 'delivered', callback_reason = NULL", jobId);
  }

  retryAt(jobId: string, atMs: number, reason: string): void {
    this.#update("callback_next_ms = ?, callback_reason = ?", jobId, atMs, reason);
  }

  giveUp(jobId: string, reason: string): void {
    this.#update("callback_state = 'given_up', callback_reason = ?", jobId, reason);
  }

  #update(change: string, jobId: string, ...values: unknown[]): void {
    const sql = `UPDATE export_jobs SET ${change} WHERE id = ? AND callback_state = 'pending'`;
    const { changes } = this.#guard(() => this.#database.prepare(sql).run(...values, jobId));
    if (changes > 0) this.#onChange(jobId);
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw mapBooksError(error);
    }
  }
}
