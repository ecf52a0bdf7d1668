import { constants } from "node:fs";
import { access, open } from "node:fs/promises";
import { join } from "node:path";
import type Database from "better-sqlite3";
import { loadDriver } from "../../drivers/load-driver.js";
import { ReplicaError } from "../../errors.js";
import { makeFolder } from "../../files/durable-folder.js";
import { hasErrorCode } from "../../files/error-code.js";
import { lockFile } from "../../sqlite/file-lock.js";
import { mapSqliteError } from "../../sqlite/map-sqlite-error.js";
import { createBooks } from "./books-schema.js";

/** The open books of one folder. */
export interface OpenBooks {
  readonly database: Database.Database;
  /** May be called twice. */
  close(): void;
}

/**
 * Opens `<dir>/exports.db`, made where there is none, for this owner alone until `close()` or the end of the process.
 * @throws `LOCAL_DATABASE`: the folder cannot be made or written to, another owner has it, the books are damaged or of another version.
 */
export async function openBooks(dir: string): Promise<OpenBooks> {
  const path = join(dir, "exports.db");
  await makePlace(dir, path);
  const lock = await lockFile(path, {
    what: `The export folder ${dir} is in use already`,
    hint: "Stop the process that exports there, or give this one another `dir`.",
  });
  let database: Database.Database | undefined;
  try {
    database = new (await loadDriver("better-sqlite3"))(path, { timeout: 5_000 });
    database.pragma("journal_mode = WAL");
    // A part is durable before it is recorded, so a lost record of one costs time alone. But what was answered for (a job taken in), and what files are
    // removed after (a job's end), must not be lost to a power cut either.
    database.pragma("synchronous = FULL");
    database.pragma("foreign_keys = ON");
    createBooks(database, path);
  } catch (error) {
    database?.close();
    lock.release();
    throw mapSqliteError(error, `The books of exports ${path} cannot be opened`);
  }
  const opened = database;
  return {
    database: opened,
    close() {
      opened.close();
      lock.release();
    },
  };
}

async function makePlace(dir: string, path: string): Promise<void> {
  try {
    await makeFolder(dir);
    await access(dir, constants.R_OK | constants.W_OK);
    // The lock wants a file that is there, and what is exported is not for every user of the machine.
    await makeFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReplicaError("LOCAL_DATABASE", `The export folder ${dir} cannot be used: ${reason}`, {
      hint: "Give this user the right to write there, or give another `dir`.",
      retryable: true,
      cause: error,
    });
  }
}

/** One that is there is not opened: closing it would let go of the locks that another owner in this process has on it (https://sqlite.org/howtocorrupt.html, 2.2). */
async function makeFile(path: string): Promise<void> {
  try {
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
  }
}
