import { statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type Database from "better-sqlite3";
import { loadDriver } from "../../../drivers/load-driver.js";
import { ReplicaError } from "../../../errors.js";
import { rowBytes, type SqliteRow, type SqliteValue } from "../../../sqlite/sqlite-value.js";
import { mapSourceError } from "./map-source-error.js";

/** How long a lock of another program is waited for. The thread stands still meanwhile. */
const BUSY_TIMEOUT_MS = 1_000;
const MAX_IDLE = 4;
/** Rows between two chances for the rest of the thread. */
const ROWS_PER_TURN = 500;
/** So many bytes end a turn too: rows may be wide. */
const BYTES_PER_TURN = 1024 * 1024;

/** A connection that somebody is using, alone. Integers come out as `bigint`. */
export interface Session {
  /** Names the file that it reads: another one where it was replaced. */
  readonly file: string;
  all(sql: string, parameters?: readonly SqliteValue[]): SqliteRow[];
  /** Rows one by one, of one snapshot, in bounded memory. Gives the thread back every few rows or bytes. */
  rows(sql: string, parameters: readonly SqliteValue[], signal: AbortSignal): AsyncGenerator<SqliteRow[], void>;
}

interface Connection {
  readonly database: Database.Database;
  readonly file: string;
  reading: Iterator<unknown> | undefined;
}

/** Read-only connections to one SQLite file, which may be in use by others and may be replaced at any time. */
export class Connections {
  readonly #path: string;
  readonly #idle: Connection[] = [];
  readonly #busy = new Set<Connection>();
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Runs `work` with a connection of its own. @throws what `work` throws, SQLite's errors as `SOURCE_*`. */
  async use<T>(signal: AbortSignal, work: (session: Session) => T | Promise<T>): Promise<T> {
    const connection = await this.#take(signal);
    try {
      return await work(this.#session(connection));
    } catch (error) {
      throw this.#map(error);
    } finally {
      this.#giveBack(connection);
    }
  }

  /** Like {@link use} for what comes piece by piece. */
  async *stream<T>(signal: AbortSignal, work: (session: Session) => AsyncIterable<T>): AsyncGenerator<T, void> {
    const connection = await this.#take(signal);
    try {
      yield* work(this.#session(connection));
    } catch (error) {
      throw this.#map(error);
    } finally {
      this.#giveBack(connection);
    }
  }

  /** What is under way fails with `STOPPED` at its next step. */
  close(): void {
    this.#closed = true;
    for (const connection of [...this.#idle.splice(0), ...this.#busy]) closeConnection(connection);
    this.#busy.clear();
  }

  async #take(signal: AbortSignal): Promise<Connection> {
    const driver = await loadDriver("better-sqlite3");
    signal.throwIfAborted();
    this.#verifyOpen();
    const file = this.#identify();
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.file === file) {
        this.#busy.add(connection);
        return connection;
      }
      closeConnection(connection);
    }
    try {
      const database = new driver(this.#path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
      database.defaultSafeIntegers(true);
      const connection = { database, file, reading: undefined };
      this.#busy.add(connection);
      return connection;
    } catch (error) {
      throw this.#map(error);
    }
  }

  #giveBack(connection: Connection): void {
    connection.reading?.return?.();
    connection.reading = undefined;
    if (!this.#busy.delete(connection)) return;
    if (this.#idle.length < MAX_IDLE) this.#idle.push(connection);
    else closeConnection(connection);
  }

  #session(connection: Connection): Session {
    const verifyOpen = (): void => this.#verifyOpen();
    const prepare = (sql: string): Database.Statement => connection.database.prepare(sql).raw(true);
    return {
      file: connection.file,
      all(sql, parameters = []) {
        verifyOpen();
        return prepare(sql).all(...parameters) as SqliteRow[];
      },
      async *rows(sql, parameters, signal) {
        signal.throwIfAborted();
        verifyOpen();
        const iterator = prepare(sql).iterate(...parameters) as IterableIterator<SqliteRow>;
        connection.reading = iterator;
        try {
          for (;;) {
            const rows: SqliteRow[] = [];
            let bytes = 0;
            let step = iterator.next();
            for (; !step.done; step = iterator.next()) {
              rows.push(step.value);
              bytes += rowBytes(step.value);
              if (rows.length === ROWS_PER_TURN || bytes >= BYTES_PER_TURN) break;
            }
            if (rows.length > 0) yield rows;
            if (step.done) return;
            await setImmediate();
            signal.throwIfAborted();
            verifyOpen();
          }
        } finally {
          iterator.return?.();
          connection.reading = undefined;
        }
      },
    };
  }

  #verifyOpen(): void {
    if (this.#closed) throw new ReplicaError("STOPPED", `The source ${this.#path} was closed.`);
  }

  /** The inode: it stays through VACUUM and checkpoints, and is another one after the file was replaced. */
  #identify(): string {
    try {
      const found = statSync(this.#path, { bigint: true });
      if (found.isDirectory()) {
        throw new ReplicaError("SOURCE_FAILED", `The source ${this.#path} is a folder.`, {
          hint: "Give the path of a file.",
        });
      }
      return String(found.ino);
    } catch (error) {
      throw this.#map(error);
    }
  }

  #map(error: unknown): unknown {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EACCES" || code === "EPERM") {
      return new ReplicaError("SOURCE_REFUSED", `The source ${this.#path} may not be read (${code}).`, {
        hint: "Give this user the right to read the file and to enter its folder.",
        cause: error,
      });
    }
    if (code === "ENOENT" || code === "ENOTDIR" || isFolderMissing(error)) {
      return new ReplicaError("SOURCE_UNREACHABLE", `There is no file ${this.#path} to copy from.`, {
        hint: "Check the path of the source; a relative one starts from the folder that the program was started in.",
        retryable: true,
        cause: error,
      });
    }
    return mapSourceError(error, this.#path);
  }
}

/** The driver's own look, before SQLite's. */
function isFolderMissing(error: unknown): boolean {
  return error instanceof TypeError && error.message.startsWith("Cannot open database because the directory");
}

function closeConnection(connection: Connection): void {
  connection.reading?.return?.();
  connection.database.close();
}
