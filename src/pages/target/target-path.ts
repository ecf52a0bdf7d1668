import { readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ReplicaError } from "../../errors.js";
import { hasErrorCode } from "../../files/error-code.js";

const MOST_LINKS = 40;

/**
 * The real path of a local file to sync, which need not be there: links are followed, so that what stands beside it stands beside the real file.
 * @throws `LOCAL_DATABASE` where its folder is missing, or it is a folder or anything else that is no file
 */
export function resolveTarget(file: string): string {
  let path = resolve(file);
  for (let links = 0; ; links++) {
    const stats = look(path);
    if (stats !== null) {
      if (!stats.isFile()) throw unusable(path, stats.isDirectory() ? "is a folder" : "is no ordinary file");
      return checkName(realpathSync(path));
    }
    const target = linkTarget(path);
    if (target === null) return checkName(join(realFolder(path), basename(path)));
    if (links === MOST_LINKS) throw unusable(path, "is a chain of links without an end");
    path = resolve(realFolder(path), target);
  }
}

function look(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return null;
    throw unusable(path, `cannot be reached: ${error instanceof Error ? error.message : error}`, error);
  }
}

/** Where a link leads that leads to nothing yet; `null` where there is no link. */
function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function realFolder(path: string): string {
  const folder = dirname(path);
  try {
    return realpathSync(folder);
  } catch (error) {
    throw unusable(path, `cannot be made: there is no folder ${folder}`, error);
  }
}

/** The driver cuts white space off the ends of a path, and would work with another file. */
function checkName(path: string): string {
  if (path !== path.trim())
    throw unusable(JSON.stringify(path), "ends with white space, which the SQLite driver cuts off");
  return path;
}

function unusable(path: string, what: string, cause?: unknown): ReplicaError {
  return new ReplicaError("LOCAL_DATABASE", `The local database ${path} ${what}`, {
    hint: "Give the path of a SQLite file, or of one that is to be made, in a folder that is there.",
    ...(cause === undefined ? {} : { cause }),
  });
}
