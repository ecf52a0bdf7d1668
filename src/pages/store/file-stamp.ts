import type { FileHandle } from "node:fs/promises";

/** What tells that a file is as it was. A file's inode is no part of it: a restored backup is the same database. */
export interface FileStamp {
  readonly bytes: number;
  readonly mtimeNs: bigint;
}

export async function fileStamp(file: FileHandle): Promise<FileStamp> {
  const { size, mtimeNs } = await file.stat({ bigint: true });
  return { bytes: Number(size), mtimeNs };
}

export function sameStamp(one: FileStamp, other: FileStamp): boolean {
  return one.bytes === other.bytes && one.mtimeNs === other.mtimeNs;
}
