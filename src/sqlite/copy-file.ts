import { accessSync, closeSync, constants, existsSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { ReplicaError } from "../errors.js";

const READ_BYTES = 4 * 1024 * 1024;
const MAGIC = "SQLite format 3\0";

/** Where a copy is written. */
export interface FileCopyTarget {
  write(bytes: Uint8Array, at: number): void;
}

/**
 * Copies a file in WAL mode that nobody has open, which shows in its having neither `-wal` nor `-shm`: then it is whole by itself. SQLite reads such a
 * file only where it can make those two, which it cannot in a folder that is not writable.
 *
 * It opens the file without SQLite, and closing it lets go of all locks that this process has on it (https://sqlite.org/howtocorrupt.html, 2.2). So only
 * where this process cannot have it open in WAL mode either, since it may not write to the folder.
 * @returns `false` where this is no such file
 */
export async function copyFile(
  path: string,
  target: FileCopyTarget,
  onStep: (bytesDone: number, bytesTotal: number) => void,
): Promise<boolean> {
  if (!mayCopyFile(path)) return false;
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return false;
  }
  try {
    const before = fstatSync(fd);
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (let at = 0; at < before.size; ) {
      const length = readSync(fd, buffer, 0, READ_BYTES, at);
      if (at === 0 && !isWal(buffer.subarray(0, length))) return false;
      if (length === 0) break;
      target.write(buffer.subarray(0, length), at);
      at += length;
      onStep(at, before.size);
      await turn();
    }
    const after = fstatSync(fd);
    if (isOpenSomewhere(path) || after.mtimeMs !== before.mtimeMs || after.size !== before.size) {
      throw new ReplicaError("SNAPSHOT_UNSTEADY", `The database ${path} was opened for writing while it was copied`, {
        hint: "Let this user write to its folder: then a copy can be made while others write.",
        retryable: true,
      });
    }
    return before.size > 0;
  } finally {
    closeSync(fd);
  }
}

/** Whether `copyFile` would look at it, as far as can be told without opening it. */
export function mayCopyFile(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return !isOpenSomewhere(path) && !isWritable(dirname(realpathSync(path)));
  } catch {
    return false;
  }
}

/** SQLite has the two beside the file itself, whatever links lead there. */
function isOpenSomewhere(path: string): boolean {
  const real = realpathSync(path);
  return existsSync(`${real}-wal`) || existsSync(`${real}-shm`);
}

function isWritable(folder: string): boolean {
  // There nobody can tell without trying, and no locks are lost either.
  if (process.platform === "win32") return false;
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** https://sqlite.org/fileformat2.html#the_database_header */
function isWal(start: Buffer): boolean {
  return start.toString("latin1", 0, 16) === MAGIC && start[18] === 2 && start[19] === 2;
}
