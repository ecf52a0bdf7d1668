import { link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../../../http/system-code.js";
import { partPaths } from "./part-paths.js";
import { takenAway } from "./taken-away.js";
import { targetExists } from "./target.js";

/** File systems without hard links say one of these. */
const NO_LINKS: readonly (string | null)[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/**
 * Gives a finished, synced half file its own name in one step, durably. Without `force` it never replaces a file, not even one that has just come.
 * @throws CliError `TARGET_EXISTS`; `LOCAL_FILE` where the half file is not there any more
 */
export async function putInPlace(target: string, { force }: { readonly force: boolean }): Promise<void> {
  const { part, note } = partPaths(target);
  if (force) await rename(part, target);
  else await moveUnlessThere(part, target);
  await syncFolder(dirname(target));
  await rm(note, { force: true });
}

/** A rename would replace; a second name for the file cannot. */
async function moveUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST") throw targetExists(to);
    if (code === "ENOENT") throw takenAway(from);
    if (!NO_LINKS.includes(code)) throw error;
    // Here nothing better is to be had: it was looked for before.
    await rename(from, to);
    return;
  }
  await rm(from, { force: true });
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and needs not to.
  const folder = await open(path, "r").catch(() => null);
  if (folder === null) return;
  try {
    await folder.sync().catch(() => {});
  } finally {
    await folder.close();
  }
}
