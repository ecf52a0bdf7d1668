import { link, readlink, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasErrorCode } from "../../files/error-code.js";
import type { DatabasePlaces } from "./store-places.js";

/** Makes `<id>.db` lead to this version, for people who open it. Where links cannot be made there is none. */
export async function linkVersion(places: DatabasePlaces, generation: number): Promise<void> {
  const target = join(basename(places.folder), `${generation}.db`);
  if ((await readlink(places.link).catch(() => null)) === target) return;
  const temp = join(dirname(places.link), `${basename(places.folder)}.link`);
  await rm(temp, { force: true });
  try {
    await symlink(target, temp, "file");
  } catch (error) {
    // Windows asks for a privilege, some network drives have none.
    if (!hasErrorCode(error, "EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP")) throw error;
    try {
      await link(places.file(generation), temp);
    } catch {
      return;
    }
  }
  await rename(temp, places.link);
}
