import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ReplicaError } from "../../errors.js";

/** A folder of one sync alone, for hashes and copies. */
export interface WorkFolder {
  readonly path: string;
  /** Removes it with all that is in it; what cannot be removed, the next sync removes. A second call does nothing. */
  remove(): void;
}

/** Without a lock nobody can tell whether a sync still runs; none does for so long. */
const LEFT_MS = 24 * 3_600_000;

/**
 * Makes `.<file>-replica-<random>`, readable by its user alone. What syncs of this file have left that died is removed first.
 * @param isLocked whether the caller holds the lock of the file: then the folder is beside it, on the disk that has room for what is as large, and whatever
 * is there already was left. Else it is in the system's folder for such.
 * @throws `LOCAL_DATABASE`
 */
export function makeWorkFolder(file: string, isLocked: boolean): WorkFolder {
  const parent = isLocked ? dirname(file) : tmpdir();
  const prefix = `.${basename(file)}-replica-`;
  const path = join(parent, `${prefix}${randomBytes(8).toString("hex")}`);
  try {
    for (const name of readdirSync(parent)) {
      if (!name.startsWith(prefix) || !/^[0-9a-f]{16}$/.test(name.slice(prefix.length))) continue;
      const left = join(parent, name);
      if (isLocked || isOld(left)) remove(left);
    }
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReplicaError("LOCAL_DATABASE", `No folder for the work of a sync can be made: ${reason}`, {
      hint: "Make the folder of the database writable for this user, and see that its disk is not full.",
      retryable: true,
      cause: error,
    });
  }
  return { path, remove: () => removeQuietly(path) };
}

/** Whether files can be made beside this one. */
export function mayWriteBeside(file: string): boolean {
  try {
    accessSync(dirname(file), constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isOld(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > LEFT_MS;
}

/** What a sync has done counts, and not what it leaves. */
function removeQuietly(path: string): void {
  try {
    remove(path);
  } catch {
    // It begins with a dot, and does no harm.
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
