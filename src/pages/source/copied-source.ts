import { randomUUID } from "node:crypto";
import { closeSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ReplicaError } from "../../errors.js";
import type { CopiedSize } from "./copy-between-locks.js";
import { FilePageSource } from "./file-page-source.js";
import type { PageSource } from "./page-source.js";

/** A copy of a database that is being made, which goes with the source that reads it. */
export class CopiedSource {
  readonly fd: number;
  readonly #path: string;
  readonly #workDir: string;

  constructor(workDir: string) {
    this.#workDir = workDir;
    this.#path = join(workDir, `source-${randomUUID()}.db`);
    // Its user's alone.
    this.fd = openSync(this.#path, "wx+", 0o600);
  }

  /** @throws `DISK_LIMIT` where so many bytes more do not fit. */
  checkRoom(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.#workDir);
    if (bytes <= bavail * bsize) return;
    throw new ReplicaError(
      "DISK_LIMIT",
      `A copy of the database in ${this.#workDir} takes ${bytes} bytes more, where ${bavail * bsize} are free`,
      {
        hint: "Free space on that disk; a database in WAL mode (`PRAGMA journal_mode = WAL`) is read without a copy.",
        retryable: true,
      },
    );
  }

  write(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.fd, bytes, done, bytes.length - done, at + done);
  }

  /** The copy is whole. */
  finish({ pageSize, pageCount }: CopiedSize): PageSource {
    return new FilePageSource(this.fd, pageSize, pageCount, () => this.remove());
  }

  remove(): void {
    closeSync(this.fd);
    rmSync(this.#path, { force: true });
  }
}

/** What the file system says of the copy's disk or folder, as ours; anything else as it is. To be thrown. */
export function mapCopyError(error: unknown, path: string, workDir: string): unknown {
  if (error instanceof ReplicaError || !(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "ENOSPC" || error.code === "EDQUOT") {
    return new ReplicaError("DISK_LIMIT", `The disk became full while ${path} was copied to ${workDir}`, {
      hint: "Free space on that disk; a database in WAL mode (`PRAGMA journal_mode = WAL`) is read without a copy.",
      retryable: true,
      cause: error,
    });
  }
  if (!("syscall" in error)) return error;
  return new ReplicaError("LOCAL_DATABASE", `${path} cannot be read, or not copied to ${workDir}: ${error.message}`, {
    hint: "Check that this user may read the file, and write to that folder.",
    retryable: true,
    cause: error,
  });
}
