import { randomUUID } from "node:crypto";
import type Database from "better-sqlite3";
import type { ReplicaError } from "../../errors.js";
import type { ExportFormat, ExportJob } from "../export-job.js";
import type { JobRecord, NewPart, RecordedPart } from "./job-record.js";
import { type JobRow, readJobRow } from "./job-row.js";
import { mapBooksError } from "./map-books-error.js";

/** What a job is made of. */
export interface NewJob {
  readonly id: string;
  /** Absolute path. */
  readonly database: string;
  readonly format: ExportFormat;
  readonly tables: readonly string[] | null;
  readonly except: readonly string[];
  readonly callbackUrl: string | null;
}

/**
 * Jobs, their tables and their parts in the books. Every method is one transaction, durable when it returns. Jobs that were removed are not there for
 * it, but for `leftovers`. Throws `LOCAL_DATABASE`, `DISK_LIMIT`.
 */
export class JobStore {
  readonly #database: Database.Database;
  readonly #now: () => number;

  constructor(database: Database.Database, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  insert(job: NewJob): void {
    this.#run(
      `INSERT INTO export_jobs (id, database, state, format, tables, except_tables, created_at, callback_url, callback_state)
       VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?)`,
      job.id,
      job.database,
      job.format,
      job.tables === null ? null : JSON.stringify(job.tables),
      JSON.stringify(job.except),
      this.#time(),
      job.callbackUrl,
      job.callbackUrl === null ? null : "waiting",
    );
  }

  get(id: string): JobRecord | null {
    const [row] = this.#rows<JobRow>("SELECT * FROM export_jobs WHERE id = ? AND removed = 0", id);
    return row === undefined ? null : readJobRow(row);
  }

  /** Newest first. */
  list(): ExportJob[] {
    const sql = "SELECT * FROM export_jobs WHERE removed = 0 ORDER BY number DESC";
    return this.#rows<JobRow>(sql).map((row) => readJobRow(row).job);
  }

  /** Ids of the jobs that have not ended, oldest first. */
  unfinished(): string[] {
    const sql = "SELECT id FROM export_jobs WHERE state IN ('queued', 'running') AND removed = 0 ORDER BY number";
    return this.#rows<{ id: string }>(sql).map(({ id }) => id);
  }

  markRunning(id: string): void {
    this.#run("UPDATE export_jobs SET state = 'running' WHERE id = ?", id);
  }

  recordSnapshot(id: string, bytes: number): void {
    this.#run("UPDATE export_jobs SET snapshot_bytes = ? WHERE id = ?", bytes, id);
  }

  /** Nothing is there of it: the next thing it needs is a snapshot. */
  forgetSnapshot(id: string): void {
    this.#transaction(() => {
      this.#forgetParts(id);
      this.#run(
        "UPDATE export_jobs SET snapshot_bytes = NULL, fingerprint = NULL, tables_total = NULL, ticket = NULL WHERE id = ?",
        id,
      );
    });
  }

  /** An artifact without parts, to be made by a dump with this fingerprint and these tables. */
  beginArtifact(
    id: string,
    dump: { readonly fingerprint: string; readonly tables: readonly string[] },
    ticket: string,
  ): void {
    this.#transaction(() => {
      this.#forgetParts(id);
      this.#run(
        "UPDATE export_jobs SET fingerprint = ?, tables_total = ?, ticket = ? WHERE id = ?",
        dump.fingerprint,
        dump.tables.length,
        ticket,
        id,
      );
      const insert = this.#database.prepare("INSERT INTO export_job_tables (job_id, place, name) VALUES (?, ?, ?)");
      for (const [place, name] of dump.tables.entries()) insert.run(id, place, name);
    });
  }

  /** In order. */
  parts(id: string): RecordedPart[] {
    return this.#rows<PartRow>("SELECT * FROM export_job_chunks WHERE job_id = ? ORDER BY number", id).map((row) => ({
      number: row.number,
      bytes: row.bytes,
      sha256: row.sha256,
      receipt: row.receipt,
      rows: row.rows,
      tablesDone: row.tables_done,
      next: row.next === null ? null : JSON.parse(row.next),
      hashState: row.hash_state,
    }));
  }

  /** The part after the last one that is recorded. */
  recordPart(id: string, part: NewPart): void {
    this.#transaction(() => {
      this.#run(
        `INSERT INTO export_job_chunks (job_id, number, bytes, sha256, receipt, rows, tables_done, next, hash_state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        part.number,
        part.bytes,
        part.sha256,
        part.receipt,
        part.rows,
        part.tablesDone,
        part.next === null ? null : JSON.stringify(part.next),
        part.hashState,
      );
      this.#run("UPDATE export_job_chunks SET hash_state = NULL WHERE job_id = ? AND number = ?", id, part.number - 1);
      const count = this.#database.prepare(
        "UPDATE export_job_tables SET rows_done = rows_done + ? WHERE job_id = ? AND place = ?",
      );
      for (const [place, rows] of part.rowsOf) count.run(rows, id, place);
      this.#tablesDone(id, part.tablesDone);
      this.#run(
        "UPDATE export_jobs SET rows_done = rows_done + ?, bytes_written = bytes_written + ? WHERE id = ?",
        part.rows,
        part.bytes,
        id,
      );
    });
  }

  /** Ends it well. Its callback is due from now on. */
  complete(id: string, artifact: { readonly location: string; readonly sha256: string }): void {
    this.#transaction(() => {
      this.#run(
        `UPDATE export_jobs SET state = 'completed', finished_at = ?, location = ?, artifact_sha256 = ?, ticket = NULL
         WHERE id = ?`,
        this.#time(),
        artifact.location,
        artifact.sha256,
        id,
      );
      const total = this.get(id)?.job.progress.tablesTotal;
      if (typeof total === "number") this.#tablesDone(id, total);
      this.#tell(id, "export.completed");
    });
  }

  /** Ends it badly. Its callback is due from now on. What it has in the store is removed by whoever calls, and then `forgetFiles`. */
  fail(id: string, error: ReplicaError): void {
    this.#transaction(() => {
      const message = error.hint === undefined ? error.message : `${error.message.replace(/\.$/, "")}. ${error.hint}`;
      this.#run(
        "UPDATE export_jobs SET state = 'failed', finished_at = ?, error_code = ?, error_message = ? WHERE id = ?",
        this.#time(),
        error.code,
        message,
        id,
      );
      this.#run("DELETE FROM export_job_chunks WHERE job_id = ?", id);
      this.#tell(id, "export.failed");
    });
  }

  /** A job that failed has nothing in the store any more. */
  forgetFiles(id: string): void {
    this.#run("UPDATE export_jobs SET ticket = NULL, snapshot_bytes = NULL WHERE id = ?", id);
  }

  /** From now on it is not there for anybody. @returns whether it was */
  markRemoved(id: string): boolean {
    return this.#run("UPDATE export_jobs SET removed = 1 WHERE id = ? AND removed = 0", id) > 0;
  }

  delete(id: string): void {
    this.#run("DELETE FROM export_jobs WHERE id = ?", id);
  }

  /** Jobs that ended before then; of those whose callback is pending none. */
  expired(before: number, options: { readonly callbacks: boolean }): string[] {
    const sql = `SELECT id FROM export_jobs WHERE finished_at < ? AND removed = 0
      AND NOT (? AND callback_state IS 'pending') ORDER BY number`;
    return this.#rows<{ id: string }>(sql, new Date(before).toISOString(), Number(options.callbacks)).map(
      ({ id }) => id,
    );
  }

  /** Jobs that are to have nothing in the store any more but may have: removed ones, and failed ones. */
  leftovers(): {
    readonly id: string;
    readonly removed: boolean;
    readonly ticket: string | null;
    readonly location: string | null;
  }[] {
    return this.#rows<{ id: string; removed: number; ticket: string | null; location: string | null }>(
      `SELECT id, removed, ticket, location FROM export_jobs
       WHERE removed = 1 OR (state = 'failed' AND ticket IS NOT NULL) ORDER BY number`,
    ).map((row) => ({ ...row, removed: row.removed === 1 }));
  }

  #forgetParts(id: string): void {
    this.#run("DELETE FROM export_job_chunks WHERE job_id = ?", id);
    this.#run("DELETE FROM export_job_tables WHERE job_id = ?", id);
    this.#run("UPDATE export_jobs SET tables_done = 0, rows_done = 0, bytes_written = 0 WHERE id = ?", id);
  }

  #tablesDone(id: string, tablesDone: number): void {
    this.#run("UPDATE export_jobs SET tables_done = ? WHERE id = ?", tablesDone, id);
    this.#run("UPDATE export_job_tables SET done = 1 WHERE job_id = ? AND place < ? AND done = 0", id, tablesDone);
  }

  /** The body is the same for every try, whatever becomes of the job meanwhile. Its form is that of Standard Webhooks. */
  #tell(id: string, type: "export.completed" | "export.failed"): void {
    const sql = "UPDATE export_jobs SET callback_state = 'pending' WHERE id = ? AND callback_state = 'waiting'";
    if (this.#run(sql, id) === 0) return;
    const job = this.get(id)?.job;
    if (job === undefined) return;
    this.#run(
      `UPDATE export_jobs SET callback_message_id = ?, callback_body = ?, callback_since_ms = ?, callback_next_ms = ?
       WHERE id = ?`,
      `msg_${randomUUID()}`,
      JSON.stringify({ type, timestamp: job.finishedAt, data: job }),
      this.#now(),
      this.#now(),
      id,
    );
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }

  #rows<Row>(sql: string, ...values: unknown[]): Row[] {
    return this.#guard(() => this.#database.prepare(sql).all(...values) as Row[]);
  }

  #run(sql: string, ...values: unknown[]): number {
    return this.#guard(() => this.#database.prepare(sql).run(...values).changes);
  }

  #transaction(work: () => void): void {
    this.#guard(() => this.#database.transaction(work).immediate());
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw mapBooksError(error);
    }
  }
}

interface PartRow {
  readonly number: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly receipt: string | null;
  readonly rows: number;
  readonly tables_done: number;
  readonly next: string | null;
  readonly hash_state: Buffer | null;
}
