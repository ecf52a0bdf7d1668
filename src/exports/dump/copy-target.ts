import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { ReplicaError } from "../../errors.js";

/** In bytes. */
export interface CopyLimits {
  readonly maxBytes: number;
  readonly minFreeBytes: number;
}

/**
 * What is written is brought to the disk so often: what has piled up in memory, the next fsync of the database's writers would have to wait for.
 */
const SYNC_EVERY_BYTES = 4 * 1024 * 1024;
/** https://sqlite.org/fileformat2.html#file_format_version_numbers */
const FORMAT_VERSIONS_AT = 18;
const ROLLBACK_MODE = new Uint8Array([1, 1]);

/** A copy that is being written, beside the place where it is to stand. */
export class CopyTarget {
  readonly path: string;
  readonly #target: string;
  readonly #limits: CopyLimits;
  readonly #fd: number;
  #syncedBytes = 0;

  constructor(target: string, limits: CopyLimits) {
    this.path = unfinishedName(target);
    this.#target = target;
    this.#limits = limits;
    removeUnfinished(target);
    // It is made here so that nobody else on the machine reads it.
    this.#fd = openSync(this.path, "wx", 0o600);
  }

  /** @throws `DISK_LIMIT` where a copy of so many bytes may not be, or does not fit. */
  checkRoom(bytes: number): void {
    const { maxBytes, minFreeBytes } = this.#limits;
    if (bytes > maxBytes) {
      throw new ReplicaError("DISK_LIMIT", `A snapshot takes ${bytes} bytes, where ${maxBytes} are allowed`, {
        hint: "Allow more (`maxDiskBytes`), or remove old exports.",
      });
    }
    const { bavail, bsize } = statfsSync(dirname(this.path));
    const left = Math.max(0, bytes - this.bytes);
    if (left + minFreeBytes > bavail * bsize) {
      throw new ReplicaError(
        "DISK_LIMIT",
        `A snapshot in ${dirname(this.path)} takes ${left} bytes more, and ${minFreeBytes} have to stay free: there are ${bavail * bsize}`,
        { hint: "Free space on that disk, or keep exports on another (`dir`).", retryable: true },
      );
    }
  }

  /** To be told how many bytes of how many are copied; is worth a call per step. @throws as `checkRoom` */
  reached(bytesDone: number, bytesTotal: number): void {
    // A copy that had to begin anew begins from nothing here too.
    if (bytesDone < this.#syncedBytes) this.#syncedBytes = 0;
    if (bytesDone - this.#syncedBytes < SYNC_EVERY_BYTES) return;
    this.sync();
    this.#syncedBytes = bytesDone;
    this.checkRoom(bytesTotal);
  }

  /** What has been written so far. */
  get bytes(): number {
    return fstatSync(this.#fd).size;
  }

  sync(): void {
    fdatasyncSync(this.#fd);
  }

  /** Drops what has been written. */
  empty(): void {
    ftruncateSync(this.#fd, 0);
    this.#syncedBytes = 0;
  }

  write(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done);
  }

  /** Puts the copy in its place, for good. @returns its bytes */
  publish(): number {
    // Its readers are not to look for a WAL, nor to make one.
    this.write(ROLLBACK_MODE, FORMAT_VERSIONS_AT);
    const { bytes } = this;
    fsyncSync(this.#fd);
    renameSync(this.path, this.#target);
    syncFolder(dirname(this.#target));
    return bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Where folders cannot be synced (Windows) it does nothing. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Where a copy is while it is not whole. */
function unfinishedName(target: string): string {
  return `${target}.part`;
}

/** Removes what there is of a copy that is not whole. */
export function removeUnfinished(target: string): void {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(`${unfinishedName(target)}${suffix}`, { force: true });
}
