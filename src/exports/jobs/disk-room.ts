import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { ReplicaError } from "../../errors.js";
import type { SnapshotLimits } from "../dump/take-snapshot.js";

/** How much may be written between two looks. */
const LOOK_EVERY_BYTES = 4 * 1024 * 1024;

export interface DiskRoomOptions {
  readonly dir: string;
  /** `null` for no limit. */
  readonly maxDiskBytes: number | null;
  readonly minFreeBytes: number;
}

/** What jobs may still write under the folder of exports. */
export class DiskRoom {
  readonly #options: DiskRoomOptions;
  #sinceLook = 0;

  constructor(options: DiskRoomOptions) {
    this.#options = options;
  }

  /** What a snapshot may take now. */
  async limits(): Promise<SnapshotLimits> {
    const { dir, maxDiskBytes, minFreeBytes } = this.#options;
    if (maxDiskBytes === null) return { minFreeBytes };
    return { minFreeBytes, maxBytes: Math.max(0, maxDiskBytes - (await diskUse(dir))) };
  }

  /** Looks now and then, as bytes come together. @throws `DISK_LIMIT` */
  async afterBytes(bytes: number): Promise<void> {
    this.#sinceLook += bytes;
    if (this.#sinceLook < LOOK_EVERY_BYTES) return;
    await this.check();
  }

  /** @throws `DISK_LIMIT` */
  async check(): Promise<void> {
    this.#sinceLook = 0;
    const { dir, maxDiskBytes, minFreeBytes } = this.#options;
    if (maxDiskBytes !== null) {
      const used = await diskUse(dir);
      if (used > maxDiskBytes) {
        throw new ReplicaError(
          "DISK_LIMIT",
          `Exports would take more than ${maxDiskBytes} bytes in ${dir} (\`maxDiskBytes\`)`,
          { hint: "Remove old jobs, give a higher `maxDiskBytes` or a lower `retentionSeconds`." },
        );
      }
    }
    const free = await freeBytes(dir);
    if (free < minFreeBytes) {
      throw new ReplicaError(
        "DISK_LIMIT",
        `The disk of ${dir} has ${free} bytes left, of which ${minFreeBytes} stay free (\`minFreeBytes\`)`,
        { hint: "Free space on the disk, remove old jobs, or give a lower `minFreeBytes`." },
      );
    }
  }
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

/** What all files under a folder take, in bytes. What goes away meanwhile counts nothing. */
async function diskUse(dir: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) sum += await diskUse(path);
    else
      sum += await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return sum;
}
