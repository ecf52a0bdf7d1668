import { randomBytes } from "node:crypto";
import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Many times what a transaction of the accounts and a mark take. */
const RESERVE_BYTES = 256 * 1024;

/** A file that takes room on the disk, so that there is some for what has to be possible when the disk is full. */
export class DiskReserve {
  readonly #path: string;

  /** @param dir a folder that is there */
  constructor(dir: string) {
    this.#path = join(dir, "reserve");
  }

  /** Takes the room, unless it is taken. Where that fails there is no reserve until the next time. */
  async take(): Promise<void> {
    try {
      const { size } = await stat(this.#path).catch(() => ({ size: 0 }));
      // Random, since some file systems keep nothing of zeros.
      if (size < RESERVE_BYTES) await writeFile(this.#path, randomBytes(RESERVE_BYTES), { mode: 0o600 });
    } catch {
      await this.free();
    }
  }

  /** Gives the room back to the disk. Never rejects. */
  async free(): Promise<void> {
    await rm(this.#path, { force: true }).catch(() => {});
  }
}
