import { chmod, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type Database from "better-sqlite3";
import { loadDriver } from "../../drivers/load-driver.js";
import { lockFile } from "../../sqlite/file-lock.js";
import { createAccountTables } from "./accounts-schema.js";
import { mapAccountsError } from "./map-accounts-error.js";

/** The open accounts of one folder. */
export interface AccountFile {
  readonly database: Database.Database;
  /** May be called twice. */
  close(): void;
}

/**
 * Opens `<dir>/accounts.db`, made where there is none, for this owner alone until `close()` or the end of the process, and for this user alone (mode 0600).
 * What is committed survives a power cut.
 * @throws `PAGE_STORE`: the folder cannot be made or written to, another page server has it, the file is damaged, newer, or somebody else's
 */
export async function openAccountFile(dir: string): Promise<AccountFile> {
  const path = join(dir, "accounts.db");
  const what = `The accounts ${path} cannot be opened`;
  try {
    await makeFile(path);
    const lock = await lockFile(path, {
      what: `The folder ${dir} is in use by another page server`,
      hint: "Stop the other process, or give this one another `dir`.",
    });
    try {
      const database = await openDatabase(path);
      return {
        database,
        close() {
          database.close();
          lock.release();
        },
      };
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    throw mapAccountsError(error, what);
  }
}

async function openDatabase(path: string): Promise<Database.Database> {
  const database = new (await loadDriver("better-sqlite3"))(path, { timeout: 5_000 });
  try {
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    database.pragma("foreign_keys = ON");
    createAccountTables(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLite gives the files beside it the mode of the file itself. One that is there is not opened: closing it would let go of another owner's locks in this process. */
async function makeFile(path: string): Promise<void> {
  const dir = dirname(path);
  const firstMade = await mkdir(dir, { recursive: true, mode: 0o700 });
  try {
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    // As it may be after it was restored from a backup.
    await chmod(path, 0o600);
    return;
  }
  // The file and each folder that was made survive a power cut, as what will be written to it does.
  await syncFolder(dir);
  if (firstMade === undefined) return;
  for (let made = dir; ; made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === firstMade) return;
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } catch (error) {
    // Some network drives cannot: https://man7.org/linux/man-pages/man2/fsync.2.html
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EINVAL" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
  } finally {
    await folder.close();
  }
}
