import { createHash, randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ReplicaError } from "../../errors.js";

/** A folder of one sync alone, for hashes and copies. */
export interface WorkFolder {
  readonly path: string;
  /** Removes it with all that is in it. A second call does nothing. */
  remove(): void;
}

/** What another machine has left in a folder that is shared is taken away after so long, since nobody here can tell whether it still runs. */
const FOREIGN_LEFT_MS = 24 * 3_600_000;

/**
 * Makes `.<file>-replica-<host>-<process>-<random>`, readable by its user alone: beside the database, where there is room for what is as large as it, or
 * where nobody may write there in the system's folder for such. What syncs of this file have left that have died is removed first.
 * @throws `LOCAL_DATABASE`
 */
export function makeWorkFolder(file: string): WorkFolder {
  const parent = mayWriteBeside(file) ? dirname(file) : tmpdir();
  const prefix = `.${basename(file)}-replica-`;
  const path = join(parent, `${prefix}${hostId()}-${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    sweep(parent, prefix);
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    throw new ReplicaError("LOCAL_DATABASE", `No folder for the work of a sync can be made: ${describe(error)}`, {
      hint: "Make the folder of the database writable for this user, and see that its disk is not full.",
      retryable: true,
      cause: error,
    });
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
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

function sweep(parent: string, prefix: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const found = /^([0-9a-f]{8})-(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length));
    if (found === null) continue;
    const path = join(parent, name);
    const isLeft = found[1] === hostId() ? !isAlive(Number(found[2])) : isOld(path);
    if (isLeft) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function isOld(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > FOREIGN_LEFT_MS;
}

/** Containers that share a folder have process ids of their own, and names of their own. */
function hostId(): string {
  return createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
