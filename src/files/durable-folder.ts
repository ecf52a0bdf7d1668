import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { hasErrorCode } from "./error-code.js";

/** Makes what was created, renamed or removed in a folder survive a power cut. Where folders cannot be synced (Windows, some network drives) it does nothing. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } catch (error) {
    // "fd is bound to a special file which does not support synchronization": https://man7.org/linux/man-pages/man2/fsync.2.html
    if (!hasErrorCode(error, "EINVAL", "ENOTSUP", "ENOSYS")) throw error;
  } finally {
    await folder.close();
  }
}

/** Makes a folder for this user alone, and those above it that are missing, so that they survive a power cut. */
export async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  // As it was written, doubled slashes and all.
  const first = resolve(made);
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    await syncFolder(dirname(folder));
    if (folder.length <= first.length) return;
  }
}
