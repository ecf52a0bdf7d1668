import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../../files/durable-folder.js";

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
