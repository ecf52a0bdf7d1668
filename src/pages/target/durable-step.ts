import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { hasSystemCode } from "./target-error.js";

/** Makes what was created, renamed or removed in a folder survive a power cut. Where folders cannot be synced (Windows, some network drives) it does nothing. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } catch (error) {
    // https://man7.org/linux/man-pages/man2/fsync.2.html, EINVAL
    if (!hasSystemCode(error, "EINVAL", "ENOTSUP", "ENOSYS")) throw error;
  } finally {
    await folder.close();
  }
}

/** Writes a small file in one step: it is there whole, or as it was before. */
export async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const beside = `${path}-new`;
  await rm(beside, { force: true });
  const file = await open(beside, "wx", mode);
  try {
    await file.writeFile(text);
    await file.chmod(mode);
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(beside, { force: true });
    throw error;
  }
  await file.close();
  await rename(beside, path);
  await syncFolder(dirname(path));
}
