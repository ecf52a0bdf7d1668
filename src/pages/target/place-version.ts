import { existsSync } from "node:fs";
import { link, open, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { ReplicaError } from "../../errors.js";
import { syncFolder } from "../../files/durable-folder.js";
import { hasErrorCode } from "../../files/error-code.js";
import { setJournalMode } from "./check-integrity.js";
import type { StagedVersion } from "./finish-version.js";

export interface PlaceOptions {
  /** Whether nothing is there; else what is there is replaced. */
  readonly isFree: boolean;
  /** Also removes a journal or write-ahead log that belongs to a file that is not there, or not to be kept. */
  readonly force: boolean;
}

/**
 * Puts a staged file in its place as it is, in one durable step.
 * @throws `LOCAL_DATABASE`; errors of the file system
 */
export async function placeVersion(
  path: string,
  staged: StagedVersion,
  { isFree, force }: PlaceOptions,
): Promise<void> {
  // SQLite would take them for the new file's own, and change it.
  await removeLogs(path, force);
  const replaced = isFree ? null : await stat(path);
  const file = await open(staged.stagedPath, "r+");
  try {
    // Root alone may give a file away; for others it stays their own.
    if (replaced !== null) await file.chown(replaced.uid, replaced.gid).catch(() => {});
    // After the owner, a change of which takes bits away; and never before it, when others would have them.
    await file.chmod(replaced === null ? 0o644 & ~process.umask() : replaced.mode & 0o777);
    if (staged.pageCount > 0) setJournalMode(file.fd, staged.pageOneHeader);
    await file.sync();
  } finally {
    await file.close();
  }
  await (isFree ? takeFreePlace(staged.stagedPath, path) : rename(staged.stagedPath, path));
  await syncFolder(dirname(path));
}

async function removeLogs(path: string, force: boolean): Promise<void> {
  for (const ending of ["-journal", "-wal"]) {
    const log = `${path}${ending}`;
    const size = await stat(log).then(
      (stats) => stats.size,
      () => 0,
    );
    if (size > 0 && !force) {
      throw new ReplicaError(
        "LOCAL_DATABASE",
        `There is ${log}, which holds changes to a database that is not there any more`,
        {
          hint: "Move it back to its database, or away, or pull with --force (`force: true`) to remove it.",
        },
      );
    }
  }
  for (const ending of ["-journal", "-wal", "-shm"]) await rm(`${path}${ending}`, { force: true });
}

/** Unlike a rename it replaces nothing that came into being meanwhile. */
async function takeFreePlace(from: string, path: string): Promise<void> {
  try {
    await link(from, path);
  } catch (error) {
    if (hasErrorCode(error, "EEXIST")) throw appeared(path, error);
    // File systems without a second name for a file.
    if (!hasErrorCode(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")) throw error;
    if (existsSync(path)) throw appeared(path, error);
    await rename(from, path);
    return;
  }
  await unlink(from);
}

function appeared(path: string, cause: unknown): ReplicaError {
  return new ReplicaError("LOCAL_DATABASE", `The file ${path} was made by somebody else while the pull was under way`, {
    hint: "It was left as it is. Pull again.",
    retryable: true,
    cause,
  });
}
