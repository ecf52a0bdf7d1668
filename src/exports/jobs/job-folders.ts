import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../files/durable-folder.js";
import { mapDirectoryError } from "../artifacts/map-directory-error.js";

/** Where things lie under the folder of exports. Ids come from the books alone. */
export class JobFolders {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** A job's own folder: its snapshot, and its half file where the store is a folder. */
  work(id: string): string {
    return join(this.#dir, "work", id);
  }

  snapshot(id: string): string {
    return join(this.work(id), "snapshot.db");
  }

  /** @throws `DISK_LIMIT`, `ARTIFACT_STORE` */
  async makeWork(id: string): Promise<void> {
    try {
      await makeFolder(this.work(id));
    } catch (error) {
      throw mapDirectoryError(error, "Making the folder of an export job", this.#dir);
    }
  }

  /** @throws `ARTIFACT_STORE` */
  async removeWork(id: string): Promise<void> {
    try {
      await rm(this.work(id), { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      throw mapDirectoryError(error, "Removing the folder of an export job", this.#dir);
    }
  }

  /** Size of the snapshot; `null` where there is none. */
  async snapshotBytes(id: string): Promise<number | null> {
    const found = await stat(this.snapshot(id)).catch(() => null);
    return found?.isFile() ? found.size : null;
  }

  /** Removes the folders under `work` and the files under `files` that `isOwned` does not know. @returns how many */
  async removeOrphans(isOwned: (place: "work" | "files", id: string) => boolean): Promise<number> {
    let removed = 0;
    for (const place of ["work", "files"] as const) {
      // What is there is listed before anybody asks whose it is: a job is in the books before it has files.
      for (const name of await this.#list(place)) {
        if (isOwned(place, name.replace(/\..*$/s, ""))) continue;
        await this.#remove(place, name);
        removed += 1;
      }
    }
    return removed;
  }

  async #list(place: string): Promise<string[]> {
    return await readdir(join(this.#dir, place)).catch(() => []);
  }

  async #remove(place: string, name: string): Promise<void> {
    await rm(join(this.#dir, place, name), { recursive: true, force: true, maxRetries: 3 });
  }
}
